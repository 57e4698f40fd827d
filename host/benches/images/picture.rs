//! Pictures that are as hard to compress as photographs: soft shapes in each colour, and grain.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::place::target;

/// A JPEG of this size, made once.
pub fn picture(width: u32, height: u32) -> PathBuf {
    let path = target().join(format!("bench-{width}x{height}.jpg"));
    if !path.exists() {
        let directory = tempfile::Builder::new().prefix("picture-").tempdir_in(target()).unwrap();
        paint(directory.path(), width, height);
        std::fs::rename(directory.path().join("picture.jpg"), &path).unwrap();
    }
    path
}

fn paint(directory: &Path, width: u32, height: u32) {
    let vips = |line: &str| {
        let status = Command::new("vips").args(line.split_whitespace()).current_dir(directory).status();
        assert!(status.unwrap().success(), "vips {line}");
    };
    for colour in 1..=3 {
        let (width, height, cell) = (width / 4, height / 4, colour * 120);
        vips(&format!("perlin {colour}.v {width} {height} --cell-size {cell} --seed {colour} --uchar"));
    }
    let join = Command::new("vips").args(["bandjoin", "1.v 2.v 3.v", "soft.v"]).current_dir(directory).status();
    assert!(join.unwrap().success(), "vips bandjoin");
    vips("resize soft.v large.v 4");
    vips(&format!("gaussnoise grain.v {width} {height} --sigma 6 --mean 0"));
    vips("add large.v grain.v sum.v");
    vips("cast sum.v whole.v uchar");
    vips("copy whole.v picture.jpg[Q=90] --interpretation srgb");
}
