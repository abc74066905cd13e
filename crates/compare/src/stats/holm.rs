//! Holm's step-down correction: many claims at once, and still at most 5 % to have even one false among them.
//!
//! The smallest p-value is held against 5 % over the number of claims, the next against 5 % over one less, and so on
//! until one fails. It assumes nothing about how the claims hang together, which matters here: all comparisons share
//! their baseline. (S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of
//! Statistics 6(2), 1979.)

/// The p-values as they count within their family, in the order given: each claim holds if its own is at most 5 %.
///
/// Never below the p-value itself, never above 1.
///
/// # Examples
/// ```
/// let adjusted = compare::stats::holm::adjust(&[0.03, 0.01, 0.04]);
/// assert_eq!(adjusted, [0.06, 0.03, 0.06]);
/// ```
#[must_use]
pub fn adjust(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![1.0; p_values.len()];
    // A claim falls with every claim that has a smaller p-value, so the adjusted values never decrease.
    let mut so_far = 0.0_f64;
    for (step, &claim) in order.iter().enumerate() {
        let left = (p_values.len() - step) as f64;
        so_far = so_far.max((left * p_values[claim]).min(1.0));
        adjusted[claim] = so_far;
    }
    adjusted
}
