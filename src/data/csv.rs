//! Tables of text: comma-separated values, as RFC 4180 describes them.

use super::file::{MOST_BYTES, broken, open};
use super::{DataError, Labels};
use crate::shape::Const;
use crate::tensor::Tensor;
use csv::StringRecord;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A CSV file: rows of equally many cells, out of which come tensors, by column.
///
/// ```
/// use taut::data::Csv;
/// use taut::prelude::*;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let path = std::env::temp_dir().join(format!("taut-doc-{}.csv", std::process::id()));
/// # std::fs::write(&path, "length,width,kind\n1.5,2,rose\n3,4.5,lily\n")?;
/// let flowers = Csv::read_with_header(&path)?;
/// let sizes: Tensor<(usize, Const<2>)> = flowers.numbers([0, 1])?;
/// let (kinds, names) = flowers.classes(2)?;
/// assert_eq!(sizes.as_slice(), [1.5, 2.0, 3.0, 4.5]);
/// assert_eq!((kinds.to_vec(), names), (vec![1, 0], vec!["lily".to_string(), "rose".to_string()]));
/// # std::fs::remove_file(&path)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Csv {
    path: PathBuf,
    header: Vec<String>,
    rows: Vec<StringRecord>,
}

impl Csv {
    /// Reads a file whose first line is data already; a name that ends with `.gz` says that it is packed with gzip.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged gzip, is not UTF-8, or has rows of different lengths.
    pub fn read(path: impl AsRef<Path>) -> Result<Csv, DataError> {
        Csv::read_as(path.as_ref(), false)
    }

    /// Reads a file whose first line names the columns.
    ///
    /// # Errors
    /// As [`Csv::read`].
    pub fn read_with_header(path: impl AsRef<Path>) -> Result<Csv, DataError> {
        Csv::read_as(path.as_ref(), true)
    }

    fn read_as(path: &Path, has_header: bool) -> Result<Csv, DataError> {
        let mut text = Vec::new();
        open(path)?.take(MOST_BYTES + 1).read_to_end(&mut text).map_err(|error| broken(path, error))?;
        if text.len() as u64 > MOST_BYTES {
            return Err(DataError::new(path, format!("has more than {MOST_BYTES} bytes, which are the most")));
        }
        let mut builder = csv::ReaderBuilder::new();
        let mut reader = builder.has_headers(has_header).trim(csv::Trim::All).from_reader(&*text);
        let mut wrong = |error: csv::Error| DataError::new(path, describe(&error));
        let header = if has_header { reader.headers().map_err(&mut wrong)?.clone() } else { StringRecord::new() };
        let rows = reader.records().collect::<Result<_, _>>().map_err(wrong)?;
        Ok(Csv { path: path.to_path_buf(), header: header.iter().map(str::to_string).collect(), rows })
    }

    /// The number of rows, without the header.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The names of the columns; none if the file was read without a header.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Columns of numbers, counted from 0: one row of the tensor for each row of the file.
    ///
    /// # Errors
    /// If a cell is not a finite number, or there is no such column; the error names the line.
    pub fn numbers<const N: usize>(&self, columns: [usize; N]) -> Result<Tensor<(usize, Const<N>)>, DataError> {
        let mut values = Vec::with_capacity(self.len() * N);
        for row in &self.rows {
            for column in columns {
                let is_number = |value: &f32| value.is_finite();
                values.push(self.parsed(row, column, "a number", is_number)?);
            }
        }
        Ok(Tensor::from_vec(values, (self.len(), Const)).expect("N numbers for each row"))
    }

    /// A column of class numbers from 0 to `classes` - 1.
    ///
    /// # Errors
    /// If a cell is something else, or there is no such column; the error names the line.
    pub fn labels(&self, column: usize, classes: usize) -> Result<Labels, DataError> {
        let what = format!("a class from 0 to {}", classes.saturating_sub(1));
        let parse = |row| self.parsed(row, column, &what, |&class: &usize| class < classes);
        let labels: Vec<usize> = self.rows.iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Tensor::from(labels))
    }

    /// A column of names of classes: their numbers, and the different names in alphabetic order.
    ///
    /// # Errors
    /// If there is no such column.
    pub fn classes(&self, column: usize) -> Result<(Labels, Vec<String>), DataError> {
        let cells = self.rows.iter().map(|row| self.cell(row, column)).collect::<Result<Vec<_>, _>>()?;
        let mut names = cells.clone();
        names.sort_unstable();
        names.dedup();
        let number = |cell: &&str| names.binary_search(cell).expect("each name is in the list");
        let labels: Vec<usize> = cells.iter().map(number).collect();
        Ok((Tensor::from(labels), names.into_iter().map(str::to_string).collect()))
    }

    fn parsed<V: std::str::FromStr>(
        &self,
        row: &StringRecord,
        column: usize,
        what: &str,
        fits: impl FnOnce(&V) -> bool,
    ) -> Result<V, DataError> {
        let cell = self.cell(row, column)?;
        cell.parse().ok().filter(fits).ok_or_else(|| {
            DataError::new(&self.path, format!("line {}, column {column}: \"{cell}\" is not {what}", line(row)))
        })
    }

    fn cell<'a>(&self, row: &'a StringRecord, column: usize) -> Result<&'a str, DataError> {
        row.get(column).ok_or_else(|| {
            let reason = format!("there is no column {column}: the file has {}, counted from 0", row.len());
            DataError::new(&self.path, reason)
        })
    }
}

fn line(row: &StringRecord) -> u64 {
    row.position().map_or(0, csv::Position::line)
}

/// What is wrong with a file, as a reader of it would say.
fn describe(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            format!("line {line} has {len} cells, and the lines before it have {expected_len}")
        }
        csv::ErrorKind::Utf8 { pos, .. } => {
            format!("line {} is not UTF-8 text", pos.as_ref().map_or(0, csv::Position::line))
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Folder, gzip};
    use super::*;

    #[test]
    fn quotes_spaces_and_gzip_are_read() {
        let folder = Folder::new();
        let text = b"name , x\r\n\"Smith, \"\"J\"\"\", 1e3\r\nb,-2\r\n";
        for path in [folder.file("a.csv", text), folder.file("a.csv.gz", &gzip(text))] {
            let table = Csv::read_with_header(path).unwrap();
            assert_eq!((table.header(), table.len()), (&["name".to_string(), "x".to_string()][..], 2));
            assert_eq!(table.numbers([1]).unwrap().as_slice(), [1000.0, -2.0]);
            assert_eq!(table.classes(0).unwrap().1, ["Smith, \"J\"", "b"]);
        }
        let plain = Csv::read(folder.file("b.csv", b"1,0\n2,2\n")).unwrap();
        assert_eq!(plain.numbers([1, 0]).unwrap().as_slice(), [0.0, 1.0, 2.0, 2.0]);
        assert_eq!(plain.labels(1, 3).unwrap().as_slice(), [0, 2]);
        assert!(Csv::read(folder.file("empty.csv", b"")).unwrap().is_empty());
    }

    #[test]
    fn errors_name_file_line_and_reason() {
        let folder = Folder::new();
        let table = |text: &[u8]| Csv::read(folder.file("a.csv", text));
        let ragged = table(b"1,2\n3\n").unwrap_err().to_string();
        assert!(ragged.contains("a.csv: line 2 has 1 cells"), "{ragged}");
        let not_text = table(b"1,2\n3,\xff\n").unwrap_err().to_string();
        assert!(not_text.contains("a.csv: line 2 is not UTF-8"), "{not_text}");
        let numbers = table(b"1,2\n3,x\n").unwrap();
        let error = numbers.numbers([0, 1]).unwrap_err().to_string();
        assert!(error.contains("a.csv: line 2, column 1: \"x\" is not a number"), "{error}");
        let error = numbers.numbers([2]).unwrap_err().to_string();
        assert!(error.contains("no column 2"), "{error}");
        let error = numbers.labels(0, 3).unwrap_err().to_string();
        assert!(error.contains("line 2, column 0: \"3\" is not a class from 0 to 2"), "{error}");
        assert!(table(b"1,inf\n").unwrap().numbers([1]).is_err());
        let error = Csv::read(folder.file("b.csv.gz", b"1,2\n")).unwrap_err().to_string();
        assert!(error.contains("not a gzip file"), "{error}");
    }
}
