"""Prints the rows of Parquet files, as pyarrow and as DuckDB read them, in the
form that the test compares: one JSON list a row."""
import decimal, json, struct, sys
import duckdb, pyarrow as pa, pyarrow.compute as pc, pyarrow.parquet as pq

decimal.getcontext().prec = 100


def plain(column):
    t = column.type
    if pa.types.is_date(t):
        column = column.cast(pa.int32())
    elif pa.types.is_time(t) or pa.types.is_timestamp(t):
        column = column.cast(pa.int64())
    for v in column.to_pylist():
        if v is None:
            yield None
        elif pa.types.is_boolean(t):
            yield str(int(v))
        elif pa.types.is_float32(t):
            yield str(struct.unpack("<i", struct.pack("<f", v))[0])
        elif pa.types.is_float64(t):
            yield str(struct.unpack("<q", struct.pack("<d", v))[0])
        elif pa.types.is_decimal(t):
            yield str(int(v.scaleb(t.scale)))
        elif isinstance(v, list):
            yield struct.pack(f"<{len(v)}f", *v).hex()
        elif isinstance(v, bytes):
            yield v.hex()
        elif isinstance(v, str):
            yield v.encode("utf-8").hex()
        else:
            yield str(v)


def rows(table):
    return [list(r) for r in zip(*(list(plain(c)) for c in table.columns))]


def statistics(path):
    """For each chunk with a minimum and maximum in the footer: whether they are
    those of its values."""
    file = pq.ParquetFile(path)
    for g in range(file.num_row_groups):
        table = file.read_row_group(g)
        for i, name in enumerate(table.column_names):
            s = file.metadata.row_group(g).column(i).statistics
            if s is not None and s.has_min_max:
                real = pc.min_max(table[name]).as_py()
                yield [name, s.min == real["min"] and s.max == real["max"] and s.null_count == table[name].null_count]


con = duckdb.connect()
con.execute("SET TimeZone='UTC'")
out = {}
for path in sys.argv[1:]:
    arrow = pq.read_table(path)
    duck = con.sql(f"SELECT * FROM read_parquet('{path}')").to_arrow_table()
    out[path] = {
        "pyarrow": rows(arrow),
        "duckdb": rows(duck),
        "types": [str(t) for t in arrow.schema.types],
        "ids": [int(f.metadata[b"PARQUET:field_id"]) for f in arrow.schema],
        "names": arrow.schema.names,
        "stats": list(statistics(path)),
    }
json.dump(out, sys.stdout)
