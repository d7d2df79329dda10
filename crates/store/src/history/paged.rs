//! Many numbers, compressed by [pco](https://github.com/pcodec/pcodec) in pages that can be read
//! one by one: who asks for an afternoon does not pay for the day.

use std::ops::Range;

use pco::wrapped::{ChunkDecompressor, FileCompressor, FileDecompressor};
use pco::{FULL_BATCH_N, PagingSpec};

use super::column::{put, take};
use super::effort::Effort;

/// A page has at most so many numbers, three hours at one in 3 s; all are of about the same size.
/// Each costs some 25 bytes.
const PAGE: usize = 4096;

/// As bytes: the lengths of what follows, what all pages have in common, the pages. None for more
/// than 16 million numbers.
pub(super) fn compress(numbers: &[i64], effort: Effort) -> Option<Vec<u8>> {
    let sizes: Vec<usize> = places(numbers.len()).map(|it| it.len()).collect();
    let count = sizes.len();
    let config = effort.config().with_paging_spec(PagingSpec::Exact(sizes));
    let file = FileCompressor::default();
    let mut compressor = file.chunk_compressor(numbers, &config).ok()?;
    let mut parts = vec![
        compressor
            .write_meta(file.write_header(Vec::new()).ok()?)
            .ok()?,
    ];
    for page in 0..count {
        parts.push(compressor.write_page(page, Vec::new()).ok()?);
    }
    let mut bytes = Vec::new();
    for part in &parts {
        put(&mut bytes, part.len());
    }
    for part in &parts {
        bytes.extend_from_slice(part);
    }
    Some(bytes)
}

/// Which numbers each page has.
fn places(count: usize) -> impl Iterator<Item = Range<usize>> {
    let pages = count.div_ceil(PAGE);
    let begin = move |page: usize| count * page / pages;
    (0..pages).map(move |page| begin(page)..begin(page + 1))
}

/// Compressed numbers.
pub(super) struct Pages<'a> {
    decompressor: ChunkDecompressor<i64>,
    pages: Vec<(Range<usize>, &'a [u8])>,
}

impl<'a> Pages<'a> {
    /// Of so many numbers. None if the bytes are not what [`compress`] makes of so many.
    pub(super) fn open(mut bytes: &'a [u8], count: usize) -> Option<Self> {
        let common: usize = take(&mut bytes)?;
        let mut lengths = Vec::new();
        for place in places(count) {
            lengths.push((place, take::<usize>(&mut bytes)?));
        }
        let (common, mut bytes) = bytes.split_at_checked(common)?;
        let mut pages = Vec::with_capacity(lengths.len());
        for (place, length) in lengths {
            let (page, rest) = bytes.split_at_checked(length)?;
            pages.push((place, page));
            bytes = rest;
        }
        let (file, common) = FileDecompressor::new(common).ok()?;
        let (decompressor, rest) = file.chunk_decompressor(common).ok()?;
        (bytes.is_empty() && rest.is_empty()).then_some(Self {
            decompressor,
            pages,
        })
    }

    /// Which pages have these numbers.
    pub(super) fn of(&self, numbers: &Range<usize>) -> Range<usize> {
        let begin = self
            .pages
            .partition_point(|(place, _)| place.end <= numbers.start);
        let end = self
            .pages
            .partition_point(|(place, _)| place.start < numbers.end);
        begin..end.max(begin)
    }

    /// Which numbers these pages have.
    pub(super) fn numbers(&self, pages: &Range<usize>) -> Range<usize> {
        let pages = self.pages.get(pages.clone()).unwrap_or_default();
        match (pages.first(), pages.last()) {
            (Some((first, _)), Some((last, _))) => first.start..last.end,
            _ => 0..0,
        }
    }

    /// Of ascending numbers the pages with those from `from` to `to`, and with the last one that
    /// is smaller.
    pub(super) fn between(&mut self, from: i64, to: i64) -> Option<Range<usize>> {
        let (mut begin, mut end) = (0, 0);
        for page in 0..self.pages.len() {
            let first = self.first(page)?;
            if first > to {
                break;
            }
            if first < from {
                begin = page;
            }
            end = page + 1;
        }
        Some(begin..end)
    }

    /// The numbers of these pages.
    pub(super) fn read(&mut self, pages: Range<usize>) -> Option<Vec<i64>> {
        let mut numbers = Vec::with_capacity(self.numbers(&pages).len());
        // Filled bit by bit: the allocator need not clear what is large, for which it gives memory
        // back to the system and takes it anew.
        let mut batch = [0; FULL_BATCH_N];
        for (place, page) in self.pages.get(pages)? {
            let mut page = self
                .decompressor
                .page_decompressor(*page, place.len())
                .ok()?;
            loop {
                let progress = page.read(&mut batch).ok()?;
                numbers.extend_from_slice(batch.get(..progress.n_processed)?);
                if progress.finished {
                    break;
                }
            }
            if !page.into_src().is_empty() {
                return None;
            }
        }
        Some(numbers)
    }

    /// The first number of a page.
    fn first(&mut self, page: usize) -> Option<i64> {
        let (place, bytes) = self.pages.get(page)?;
        let mut numbers = [0; FULL_BATCH_N];
        let mut page = self
            .decompressor
            .page_decompressor(*bytes, place.len())
            .ok()?;
        page.read(&mut numbers).ok()?;
        numbers.first().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three pages.
    const COUNT: usize = 10_000;

    fn numbers() -> Vec<i64> {
        let count = i64::try_from(COUNT).unwrap();
        (0..count).map(|i| 3000 * i + i * i % 20).collect()
    }

    #[test]
    fn a_page_is_read_without_the_others() {
        let numbers = numbers();
        let bytes = compress(&numbers, Effort::Lasting).unwrap();
        let mut pages = Pages::open(&bytes, COUNT).unwrap();
        assert_eq!(pages.read(0..3).as_ref(), Some(&numbers));
        for part in [
            0..1,
            0..COUNT,
            3332..3333,
            3333..3334,
            5000..9000,
            9999..10_000,
        ] {
            let wanted = pages.of(&part);
            let got = pages.numbers(&wanted);
            assert!(got.start <= part.start && got.end >= part.end, "{part:?}");
            assert_eq!(pages.read(wanted).unwrap(), numbers[got]);
        }
        assert_eq!(pages.of(&(4000..4001)), 1..2);
    }

    #[test]
    fn ascending_numbers_are_found_with_the_one_before() {
        let numbers = numbers();
        let bytes = compress(&numbers, Effort::Lasting).unwrap();
        let mut pages = Pages::open(&bytes, COUNT).unwrap();
        let second = numbers[3333];
        assert_eq!(pages.between(i64::MIN, i64::MAX), Some(0..3));
        assert_eq!(pages.between(second, second), Some(0..2));
        assert_eq!(pages.between(second + 1, second + 1), Some(1..2));
        assert_eq!(pages.between(-9, -1), Some(0..0));
        assert_eq!(pages.between(i64::MAX, i64::MAX), Some(2..3));
    }

    #[test]
    fn damaged_bytes_are_no_reason_to_panic() {
        let numbers = numbers();
        let whole = compress(&numbers, Effort::Lasting).unwrap();
        for index in 0..whole.len().min(200) {
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[index] ^= 1 << bit;
                // They may be other numbers, which the checksum notices; it must end.
                let _any = Pages::open(&damaged, COUNT).and_then(|mut it| it.read(0..3));
            }
        }
        assert!(Pages::open(&whole[..whole.len() - 1], COUNT).is_none());
    }
}
