//! The page that people open after a run.

mod data;

use std::collections::HashSet;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use compare::protocol::Metric;
use compare::report;
use compare::summary::{Status, Summary};

#[test]
fn nothing_is_loaded_from_anywhere() {
    let page = report::html(&data::run(12));
    for load in ["http:", "https:", "src=", "@import", "url(", "<iframe", "<object", "<base", "//cdn"] {
        assert!(!page.contains(load), "the page has {load:?}");
    }
    assert_eq!(page.matches("<link").count(), page.matches("<link rel=\"icon\" href=\"data:,\"").count());
    assert!(page.contains("default-src 'none'"), "the policy is missing");
}

#[test]
fn every_number_and_every_reason_is_there_without_scripts() {
    let summary = data::run(12);
    let page = without_scripts(&report::html(&summary));
    for cell in &summary.cells {
        let name = format!("{} {} {}", cell.workload, cell.scale, cell.model);
        if let (Status::Ok, Some(value)) = (cell.status, cell.value) {
            let text = if cell.metric == Metric::Memory { bytes(value) } else { time(value) };
            assert!(page.contains(&format!(">{text}<")), "{name}: {text} is missing");
        }
        for ratio in [cell.ratio, cell.lo, cell.hi].into_iter().flatten() {
            assert!(page.contains(&three_digits(ratio)), "{name}: {ratio} is missing");
        }
        if let Some(why) = &cell.why {
            let why = escaped(&why.replace("\u{1b}[31m", "").replace("\u{1b}[0m", ""));
            assert!(
                page.contains(&format!(">{why}<")) || page.contains(&format!(": {why}<")),
                "{name}: {why}"
            );
        }
        if let Some(outcome) = &cell.outcome {
            assert!(page.contains(outcome.as_str()), "{name}: {outcome} is missing");
        }
    }
    for flag in &summary.flags {
        for text in [&flag.what, &flag.cause, &flag.remedy] {
            assert!(page.contains(text.as_str()), "{text} is missing");
        }
    }
}

#[test]
fn tags_close_and_links_arrive() {
    for summary in [data::run(12), data::run(6), Summary::default(), data::small::run(true)] {
        let page = report::html(&summary);
        assert_balanced(&without_scripts(&page));
        let ids: Vec<&str> = attributes(&page, " id=\"").collect();
        let unique: HashSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len(), "an id stands twice");
        for target in attributes(&page, "href=\"#") {
            assert!(unique.contains(target), "#{target} leads nowhere");
        }
    }
}

#[test]
fn the_page_is_small() {
    let summary = data::run(12);
    assert!(summary.cells.len() >= 17 * 16, "the fixture is smaller than what the limit is for");
    let page = report::html(&summary);
    assert!(page.len() <= 500_000, "{} bytes for {} cells", page.len(), summary.cells.len());
    assert!(include_str!("../src/report/script.js").len() <= 10_000);
}

#[test]
fn the_raw_data_can_be_read_back() {
    let summary = data::run(12);
    let page = report::html(&summary);
    let (_, rest) = page.split_once("href='data:application/json;charset=utf-8,").unwrap();
    let (encoded, _) = rest.split_once('\'').unwrap();
    let back: Summary = serde_json::from_slice(&percent_decoded(encoded)).unwrap();
    assert_eq!(back.cells.len(), summary.cells.len());
    for (back, cell) in back.cells.iter().zip(&summary.cells) {
        assert_eq!((&back.model, &back.why, back.status), (&cell.model, &cell.why, cell.status));
        let close = |a: Option<f64>, b: Option<f64>| {
            a.is_some() == b.is_some() && a.zip(b).is_none_or(|(a, b)| (a / b - 1.0).abs() < 1e-6)
        };
        assert!(close(back.value, cell.value) && close(back.lo, cell.lo), "{} {}", cell.workload, cell.model);
    }
}

#[test]
fn what_must_be_known_first_is_said_first() {
    let mut summary = data::run(6);
    summary.run.interrupted = true;
    let page = report::html(&summary);
    let head = page.split_once("<main>").unwrap().0;
    assert!(head.contains("Exploratory: 6 rounds"));
    assert!(head.contains("Interrupted"));
    assert!(head.contains(">fetch tail</a>"), "the unstable group is not in the strip");
    assert!(head.contains("1 WRONG"));
    let unstable = section(&page, "fetch-tail");
    assert!(unstable.contains("UNSTABLE"));
    for verdict in ["▲ faster", "▼ slower", "= same"] {
        assert!(!unstable.contains(verdict), "an unstable group says {verdict:?}");
    }
}

#[test]
fn a_margin_above_a_tenth_promises_no_sameness() {
    let mut summary = data::small::run(true);
    summary.noise_floor[0].margin = 0.5;
    let page = report::html(&summary);
    assert!(section(&page, "spawn-100").contains("nothing is called the same"));
    assert!(page.contains("Above 10 %, differences below it cannot be told"));
    assert!(page.contains("unless it is wider than 10 %; then nothing is"));
}

#[test]
fn models_that_tie_are_marked_and_nobody_wins_among_them() {
    let page = report::html(&data::small::run(true));
    assert!(page.contains("fast and quick tie for fastest; threads takes 31.8× as long"));
    assert_eq!(page.matches("class=\"h0 first\"").count(), 2);
    assert!(page.contains("<small>=1</small>"));
    let page = report::html(&data::small::run(false));
    assert!(page.contains("fast is fastest; threads takes 31.8× as long"));
}

/// WCAG 2.2, 1.4.3: text against its background, at least 4.5 to 1.
#[test]
fn colours_can_be_read_in_both_schemes() {
    let css = include_str!("../src/report/style.css");
    let (light, rest) = css.split_once("@media (prefers-color-scheme: dark)").unwrap();
    let dark = rest.split_once("* {").unwrap().0;
    for (scheme, css) in [("light", light), ("dark", dark)] {
        let colour = |name: &str| {
            let (_, rest) =
                css.split_once(&format!("--{name}: #")).unwrap_or_else(|| panic!("{scheme} has no {name}"));
            u32::from_str_radix(&rest[..6], 16).unwrap()
        };
        let mut pairs = vec![("tip".to_owned(), colour("bg"), colour("text"))];
        pairs.push(("stamp".to_owned(), colour("warn-text"), colour("warn-bg")));
        for text in ["text", "muted", "link", "good", "bad", "same"] {
            for ground in ["bg", "panel", "mark"] {
                pairs.push((format!("{text} on {ground}"), colour(text), colour(ground)));
            }
        }
        for step in 0..6 {
            pairs.push((format!("h{step}"), colour(&format!("h{step}t")), colour(&format!("h{step}"))));
        }
        for (what, text, ground) in pairs {
            let contrast = contrast(text, ground);
            assert!(contrast >= 4.5, "{scheme}, {what}: {contrast:.2}");
        }
    }
}

/// Needs a browser; without one it says so.
#[test]
fn a_browser_without_network_has_nothing_to_complain_of() {
    let Some(browser) =
        ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| is_on_path(name))
    else {
        eprintln!("skipped: chromium not installed");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("report.html");
    std::fs::write(&page, report::html(&data::run(12))).unwrap();
    let (dom, log) = (folder.path().join("dom"), folder.path().join("log"));
    let mut child = Command::new(browser)
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-sync",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--host-resolver-rules=MAP * ~NOTFOUND",
        ])
        .args(["--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("file://{}", page.display()))
        .stdout(Stdio::from(std::fs::File::create(&dom).unwrap()))
        .stderr(Stdio::from(std::fs::File::create(&log).unwrap()))
        .spawn()
        .unwrap();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{browser} did not end within 60 s");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let (dom, log) = (std::fs::read_to_string(dom).unwrap(), std::fs::read_to_string(log).unwrap());
    let complaints: Vec<&str> = log.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
    assert!(dom.contains("<div class=\"tools\">"), "the script did not run; the browser said:\n{log}");
    assert!(dom.contains("aria-labelledby=\"overview-h\""));
}

fn is_on_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

fn section<'a>(page: &'a str, id: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("id=\"{id}\"")).unwrap();
    rest.split_once("</section>").unwrap().0
}

/// The page as it is where scripts do not run, and without the copy of the data, in which everything is found.
fn without_scripts(page: &str) -> String {
    let mut text = page.to_owned();
    for (open, close) in [("<script", "</script>"), ("<style", "</style>"), (" href='data:", "'>")] {
        while let Some(start) = text.find(open) {
            let end = start + text[start..].find(close).unwrap() + close.len();
            text.replace_range(start..end, if close == "'>" { ">" } else { "" });
        }
    }
    text
}

fn assert_balanced(page: &str) {
    const VOID: [&str; 4] = ["meta", "link", "br", "input"];
    let mut open: Vec<&str> = Vec::new();
    for tag in page.split('<').skip(1).map(|rest| rest.split_once('>').expect("a tag does not end").0) {
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "</{name}> closes something else");
        } else if !tag.starts_with('!') && !tag.ends_with('/') && !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?} stay open");
}

fn attributes<'a>(page: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    page.split(start).skip(1).map(|rest| rest.split('"').next().unwrap())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        let mut digit = || char::from(bytes.next().unwrap()).to_digit(16).unwrap();
        decoded.push(if byte == b'%' { u8::try_from(digit() * 16 + digit()).unwrap() } else { byte });
    }
    decoded
}

/// Three significant digits, written anew so that the page is not compared with itself.
fn three_digits(value: f64) -> String {
    let scientific = format!("{value:.2e}");
    let (_, exponent) = scientific.split_once('e').unwrap();
    let decimals = usize::try_from(2 - exponent.parse::<i32>().unwrap()).unwrap_or(0);
    let rounded: f64 = scientific.parse().unwrap();
    let text = format!("{rounded:.decimals$}");
    if rounded >= 1000.0 { format!("{},{}", &text[..text.len() - 3], &text[text.len() - 3..]) } else { text }
}

fn time(ns: f64) -> String {
    let (factor, unit) = match ns {
        small if small < 999.5 => (1.0, "ns"),
        medium if medium < 999.5e3 => (1e3, "µs"),
        large if large < 999.5e6 => (1e6, "ms"),
        _ => (1e9, "s"),
    };
    format!("{} {unit}", three_digits(ns / factor))
}

fn bytes(bytes: f64) -> String {
    let (factor, unit) = match bytes {
        small if small < 1024.0 => (1.0, "B"),
        medium if medium < 1024.0 * 1024.0 => (1024.0, "KiB"),
        _ => (1024.0 * 1024.0, "MiB"),
    };
    format!("{} {unit}", three_digits(bytes / factor))
}

/// The WCAG contrast of two colours.
fn contrast(a: u32, b: u32) -> f64 {
    let luminance = |colour: u32| {
        let channel = |shift: u32| {
            let value = f64::from(colour >> shift & 0xff) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(16) + 0.7152 * channel(8) + 0.0722 * channel(0)
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}
