"""Reading files of tables: CSV by the standard library or pyarrow, Parquet, Excel."""

from pymlp.tabular.reading.table import FileOptions, Table, read_pieces, read_table

__all__ = ["FileOptions", "Table", "read_pieces", "read_table"]
