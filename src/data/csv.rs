//! Tables of text: comma-separated values, as RFC 4180 describes them.

use super::Labels;
use crate::files::{FileError, Limit, Position, unpacked};
use crate::numbers::range::{at_least_one, expect};
use crate::shape::Const;
use crate::tensor::Tensor;
use std::fmt;
use std::path::{Path, PathBuf};

/// A CSV file: rows of equally many cells, whose columns can be read as tensors.
///
/// ```
/// use taut::data::Csv;
/// use taut::prelude::*;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let path = std::env::temp_dir().join(format!("taut-doc-{}.csv", std::process::id()));
/// # std::fs::write(&path, "length,width,kind\n1.5,2,rose\n3,4.5,lily\n")?;
/// let flowers = Csv::read_with_header(&path)?;
/// let sizes: Tensor<(usize, Const<2>)> = flowers.numbers(["length", "width"])?;
/// let (kinds, names) = flowers.classes("kind")?;
/// assert_eq!(sizes.as_slice(), [1.5, 2.0, 3.0, 4.5]);
/// assert_eq!((kinds.to_vec(), names), (vec![1, 0], vec!["lily".to_string(), "rose".to_string()]));
/// assert_eq!(flowers.texts(2)?.collect::<Vec<_>>(), ["rose", "lily"]);
/// # std::fs::remove_file(&path)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Csv {
    path: PathBuf,
    header: Vec<String>,
    missing: Vec<String>,
    /// The number of cells in a row.
    columns: usize,
    /// All cells, one after another: a table of many short cells takes little more memory than its file.
    text: String,
    /// Where each cell ends in the text.
    ends: Vec<u32>,
    /// The line on which each row begins, from 1.
    lines: Vec<u32>,
}

/// The format of a table.
///
/// ```
/// use taut::data::{Csv, CsvOptions};
/// # fn main() -> Result<(), taut::files::FileError> {
/// # let path = std::env::temp_dir().join(format!("taut-doc-options-{}.csv", std::process::id()));
/// # std::fs::write(&path, "x;y\n1;NA\n2;5\n").unwrap();
/// let options = CsvOptions { delimiter: b';', has_header: true, missing: &["NA"], ..Default::default() };
/// let table = Csv::read_with(&path, options)?;
/// let (numbers, present) = table.numbers_or(["x", "y"], 0.0)?;
/// assert_eq!(numbers.as_slice(), [1.0, 0.0, 2.0, 5.0]);
/// assert_eq!(present.as_slice(), [true, false, true, true]);
/// # std::fs::remove_file(&path).unwrap();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CsvOptions<'a> {
    /// The separator of cells: `b','` by default; `b'\t'` and `b';'` are common, too.
    pub delimiter: u8,
    /// Whether the first line names the columns. `false` by default.
    pub has_header: bool,
    /// Texts that mark a missing value, besides an empty cell: `NA`, `?`. None by default.
    pub missing: &'a [&'a str],
    /// The largest number of bytes to read, after decompression.
    pub limit: Limit,
    // settings may be added, so literals must end in `..Default::default()`
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub more: (),
}

impl Default for CsvOptions<'_> {
    fn default() -> Self {
        CsvOptions { delimiter: b',', has_header: false, missing: &[], limit: Limit::default(), more: () }
    }
}

/// A column: an index, counted from 0, or a name in the header.
pub trait Column: Copy {
    /// The index, if there is such a column.
    #[doc(hidden)]
    fn place(self, table: &Csv) -> Result<usize, FileError>;
}

impl Column for usize {
    fn place(self, table: &Csv) -> Result<usize, FileError> {
        if self < table.columns || table.is_empty() {
            return Ok(self);
        }
        let reason = format!("there is no column {self}: the file has {}, counted from 0", table.columns);
        Err(FileError::new(&table.path, reason))
    }
}

impl Column for &str {
    fn place(self, table: &Csv) -> Result<usize, FileError> {
        let mut places = (0..table.header.len()).filter(|&place| table.header[place] == self);
        let reason = match (places.next(), places.next()) {
            (Some(place), None) => return Ok(place),
            (Some(first), Some(second)) => format!("columns {first} and {second} are both named `{self}`"),
            _ if table.header.is_empty() => format!("there is no column `{self}`: the file was read without a header"),
            _ => format!("there is no column `{self}` among {:?}", table.header),
        };
        Err(FileError::new(&table.path, reason))
    }
}

impl Csv {
    /// Reads a file without a header; a name ending in `.gz` means that it is gzip-compressed.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged gzip, is not UTF-8, has rows of different lengths, or is larger than the
    /// default [`Limit`] or 4 GiB.
    pub fn read(path: impl AsRef<Path>) -> Result<Csv, FileError> {
        Csv::read_with(path, CsvOptions::default())
    }

    /// Reads a file whose first line names the columns.
    ///
    /// # Errors
    /// As for [`Csv::read`].
    pub fn read_with_header(path: impl AsRef<Path>) -> Result<Csv, FileError> {
        Csv::read_with(path, CsvOptions { has_header: true, ..Default::default() })
    }

    /// Reads a file in another format.
    ///
    /// # Errors
    /// As for [`Csv::read`].
    pub fn read_with(path: impl AsRef<Path>, options: CsvOptions<'_>) -> Result<Csv, FileError> {
        let path = path.as_ref();
        let mut builder = csv::ReaderBuilder::new();
        builder.has_headers(options.has_header).delimiter(options.delimiter).trim(csv::Trim::All);
        let mut reader = builder.from_reader(unpacked(path, options.limit)?);
        let wrong = |error: csv::Error| describe(path, error);
        let mut table = Csv {
            path: path.to_path_buf(),
            header: Vec::new(),
            missing: options.missing.iter().map(|text| text.to_string()).collect(),
            columns: 0,
            text: String::new(),
            ends: Vec::new(),
            lines: Vec::new(),
        };
        if options.has_header {
            table.header = reader.headers().map_err(wrong)?.iter().map(mark_removed).map(str::to_string).collect();
            table.columns = table.header.len();
        }
        let mut row = csv::StringRecord::new();
        while reader.read_record(&mut row).map_err(wrong)? {
            let line = row.position().map_or(0, csv::Position::line);
            let is_first = table.lines.is_empty() && !options.has_header;
            for (column, cell) in row.iter().enumerate() {
                table.text += if is_first && column == 0 { mark_removed(cell) } else { cell };
                let too_large = |_| FileError::new(path, "holds more than 4 GiB of text, which are the most");
                table.ends.push(u32::try_from(table.text.len()).map_err(too_large)?);
            }
            table.columns = row.len();
            table.lines.push(u32::try_from(line).unwrap_or(u32::MAX));
        }
        Ok(table)
    }

    /// The number of rows, without the header.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The names of the columns; none if the file was read without a header.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Columns of numbers, by index or by name: one row of the tensor for each row of the file.
    ///
    /// # Errors
    /// If a cell is not a finite number, or there is no such column; the error names the line.
    pub fn numbers<const N: usize>(&self, columns: [impl Column; N]) -> Result<Tensor<(usize, Const<N>)>, FileError> {
        let number = |row, column| self.parsed(row, column, "a number", |value: &f32| value.is_finite());
        self.rows_of(columns, number)
    }

    /// Columns of numbers, some of which are missing: a cell that is empty or listed in [`CsvOptions::missing`] becomes
    /// `fill`. The second tensor says which were present.
    ///
    /// # Errors
    /// If another cell is not a finite number, or there is no such column; the error names the line.
    #[allow(clippy::type_complexity)]
    pub fn numbers_or<const N: usize>(
        &self,
        columns: [impl Column; N],
        fill: f32,
    ) -> Result<(Tensor<(usize, Const<N>)>, Tensor<(usize, Const<N>), bool>), FileError> {
        let numbers = self.rows_of(columns, |row, column| {
            let is_missing = self.is_missing(self.cell(row, column));
            if is_missing { Ok(fill) } else { self.parsed(row, column, "a number", |value: &f32| value.is_finite()) }
        })?;
        let present = self.rows_of(columns, |row, column| Ok(!self.is_missing(self.cell(row, column))))?;
        Ok((numbers, present))
    }

    /// A column of class numbers from 0 to `classes` - 1.
    ///
    /// # Errors
    /// If a cell is something else, or there is no such column; the error names the line.
    ///
    /// # Panics
    /// If `classes` is 0.
    #[track_caller]
    pub fn labels(&self, column: impl Column, classes: usize) -> Result<Labels, FileError> {
        expect(at_least_one("labels", "classes", classes));
        let column = column.place(self)?;
        let what = format!("a class from 0 to {}", classes - 1);
        let label = |row| self.parsed(row, column, &what, |&class: &usize| class < classes);
        let labels: Vec<usize> = (0..self.len()).map(label).collect::<Result<_, _>>()?;
        Ok(Tensor::from(labels))
    }

    /// A column of class names: the class numbers, and the distinct names in alphabetical order.
    ///
    /// # Errors
    /// If there is no such column.
    pub fn classes(&self, column: impl Column) -> Result<(Labels, Vec<String>), FileError> {
        let mut names: Vec<&str> = self.texts(column)?.collect();
        names.sort_unstable();
        names.dedup();
        let number = |cell: &str| names.binary_search(&cell).expect("each name is in the list");
        let labels: Vec<usize> = self.texts(column)?.map(number).collect();
        Ok((Tensor::from(labels), names.into_iter().map(str::to_string).collect()))
    }

    /// A column as text, trimmed.
    ///
    /// # Errors
    /// If there is no such column.
    pub fn texts(&self, column: impl Column) -> Result<impl ExactSizeIterator<Item = &str>, FileError> {
        let column = column.place(self)?;
        Ok((0..self.len()).map(move |row| self.cell(row, column)))
    }

    /// A value for each row and each of these columns.
    fn rows_of<const N: usize, E: crate::tensor::Element>(
        &self,
        columns: [impl Column; N],
        value: impl Fn(usize, usize) -> Result<E, FileError>,
    ) -> Result<Tensor<(usize, Const<N>), E>, FileError> {
        let places = columns.iter().map(|column| column.place(self)).collect::<Result<Vec<_>, _>>()?;
        let mut values = Vec::with_capacity(self.len() * N);
        for row in 0..self.len() {
            for &column in &places {
                values.push(value(row, column)?);
            }
        }
        Ok(Tensor::from_vec(values, (self.len(), Const)).expect("N values for each row"))
    }

    fn parsed<V: std::str::FromStr>(
        &self,
        row: usize,
        column: usize,
        what: &str,
        fits: impl FnOnce(&V) -> bool,
    ) -> Result<V, FileError> {
        let cell = self.cell(row, column);
        cell.parse().ok().filter(fits).ok_or_else(|| {
            let position = Position::Cell { line: u64::from(self.lines[row]), column };
            FileError::at(&self.path, position, format!("\"{cell}\" is not {what}"))
        })
    }

    fn is_missing(&self, cell: &str) -> bool {
        cell.is_empty() || self.missing.iter().any(|missing| missing == cell)
    }

    fn cell(&self, row: usize, column: usize) -> &str {
        let number = row * self.columns + column;
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.text[start as usize..self.ends[number] as usize]
    }
}

impl fmt::Debug for Csv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Csv {{ {}, {} rows, {} columns }}", self.path.display(), self.len(), self.columns)
    }
}

/// Removes the byte order mark that some programs write at the start of UTF-8 text.
fn mark_removed(cell: &str) -> &str {
    cell.trim_start_matches('\u{feff}')
}

/// Describes in words what is wrong with a file.
fn describe(path: &Path, error: csv::Error) -> FileError {
    let line = |pos: &Option<csv::Position>| Position::Line(pos.as_ref().map_or(0, csv::Position::line));
    match error.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            FileError::at(path, line(pos), format!("has {len} cells, and the lines before it have {expected_len}"))
        }
        csv::ErrorKind::Utf8 { pos, .. } => FileError::at(path, line(pos), "is not UTF-8 text"),
        _ => match error.into_kind() {
            csv::ErrorKind::Io(error) => FileError::read(path, error),
            other => FileError::new(path, format!("is not a table: {other:?}")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::testing::{Folder, gzip};

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
        let empty = Csv::read(folder.file("empty.csv", b"")).unwrap();
        assert!(empty.is_empty() && empty.numbers([0, 5]).unwrap().as_slice().is_empty());
    }

    #[test]
    fn columns_by_name_other_delimiters_and_missing_values() {
        let folder = Folder::new();
        let text = "\u{feff}x\tlabel\tnote\n1\tNA\ta\n\t2\tb c\n?\t0\t\n";
        for delimiter in *b"\t;|" {
            let text = text.replace('\t', &char::from(delimiter).to_string());
            let options = CsvOptions { delimiter, has_header: true, missing: &["NA", "?"], ..Default::default() };
            let table = Csv::read_with(folder.file("a.csv", text.as_bytes()), options).unwrap();
            let (numbers, present) = table.numbers_or(["label", "x"], -1.0).unwrap();
            assert_eq!(numbers.as_slice(), [-1.0, 1.0, 2.0, -1.0, 0.0, -1.0]);
            assert_eq!(present.as_slice(), [false, true, true, false, true, false]);
            assert!(table.texts("note").unwrap().eq(["a", "b c", ""]));
            let error = table.numbers(["x"]).unwrap_err().to_string();
            assert!(error.contains("line 3, column 0: \"\" is not a number"), "{error}");
            let error = table.classes("notes").unwrap_err().to_string();
            assert!(error.contains("no column `notes` among [\"x\", \"label\", \"note\"]"), "{error}");
        }
        let twice = Csv::read_with_header(folder.file("b.csv", b"x,x\n1,2\n")).unwrap();
        assert!(twice.texts("x").err().unwrap().reason().contains("columns 0 and 1 are both named `x`"));
        assert_eq!(twice.numbers([1]).unwrap().as_slice(), [2.0]);
        let without = Csv::read(folder.file("c.csv", "\u{feff}1,2\n".as_bytes())).unwrap();
        assert_eq!(without.numbers([0]).unwrap().as_slice(), [1.0]);
        assert!(without.numbers(["x"]).unwrap_err().reason().contains("without a header"));
    }

    #[test]
    fn errors_name_file_line_and_reason() {
        let folder = Folder::new();
        let table = |text: &[u8]| Csv::read(folder.file("a.csv", text));
        let ragged = table(b"1,2\n3\n").unwrap_err().to_string();
        assert!(ragged.contains("a.csv: line 2: has 1 cells"), "{ragged}");
        let not_text = table(b"1,2\n3,\xff\n").unwrap_err().to_string();
        assert!(not_text.contains("a.csv: line 2: is not UTF-8"), "{not_text}");
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

    #[test]
    fn a_table_takes_little_more_memory_than_its_text() {
        let folder = Folder::new();
        let table = Csv::read(folder.file("a.csv", &b"1\n".repeat(100_000))).unwrap();
        assert_eq!(table.len(), 100_000);
        assert!(table.text.capacity() + 4 * (table.ends.capacity() + table.lines.capacity()) < 10 * 200_000);
        let packed = folder.file("b.csv.gz", &gzip(&b"1,1\n".repeat(5_000)));
        let read = |bytes| Csv::read_with(&packed, CsvOptions { limit: Limit::Bytes(bytes), ..Default::default() });
        assert_eq!(read(20_000).unwrap().len(), 5_000);
        assert!(read(19_999).unwrap_err().reason().contains("holds more than 19999 bytes"));
    }
}
