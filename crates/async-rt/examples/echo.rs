//! A server that gives back what it gets, and ten clients, in one program.
//!
//! `cargo run -p async-rt --example echo`

use async_rt::{Backend, TcpStream, gather_all, run, spawn, start_server};
use std::io;

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 1024];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            count => stream.write_all(&buffer[..count]).await?,
        }
    }
}

async fn say(address: std::net::SocketAddr, words: String) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(words.as_bytes()).await?;
    stream.close().await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    String::from_utf8(answer).map_err(io::Error::other)
}

async fn talk() -> io::Result<()> {
    let server = start_server("127.0.0.1:0", |stream, peer| async move {
        if let Err(why) = echo(stream).await {
            eprintln!("{peer}: {why}");
        }
    })
    .await?;
    println!("listening on {}", server.local_addr());
    let address = server.local_addr();
    let clients: Vec<_> =
        (0..10).map(|number| spawn(say(address, format!("hello from client {number}")))).collect();
    for (number, answer) in gather_all(clients).await.into_iter().enumerate() {
        let answer = answer.map_err(io::Error::other)??;
        assert_eq!(answer, format!("hello from client {number}"));
        println!("{answer}");
    }
    server.close().await
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    run(Backend::Native, talk())??;
    Ok(())
}
