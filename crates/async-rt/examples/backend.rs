//! The same program on the backend that is named by an argument.
//!
//! `cargo run -p async-rt --all-features --example backend -- tokio`

use async_rt::{Backend, TcpListener, TcpStream, gather, run, sleep, spawn_blocking};
use std::io;
use std::time::Duration;

async fn program() -> io::Result<u64> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (client, server) = gather((TcpStream::connect(address), listener.accept())).await;
    let (mut client, (mut server, _)) = (client?, server?);
    sleep(Duration::from_millis(5)).await;
    let sum = spawn_blocking(|| (1..=100_u64).sum::<u64>()).await.map_err(io::Error::other)?;
    server.write_all(&sum.to_be_bytes()).await?;
    let mut bytes = [0; 8];
    client.read_exact(&mut bytes).await?;
    Ok(u64::from_be_bytes(bytes))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let backend: Backend = std::env::args().nth(1).as_deref().unwrap_or("native").parse()?;
    let sum = run(backend, async {
        let backend = Backend::current();
        program().await.map(|sum| (backend, sum))
    })??;
    assert_eq!(sum, (Some(backend), 5050));
    println!("{backend}: {}", sum.1);
    Ok(())
}
