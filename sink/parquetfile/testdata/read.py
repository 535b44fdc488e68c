"""Prints the rows of Parquet files, as pyarrow and as DuckDB read them, in the
form that the test compares: one JSON list a row."""
import decimal, json, struct, sys
import duckdb, pyarrow as pa, pyarrow.parquet as pq

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
        elif isinstance(v, bytes):
            yield v.hex()
        elif isinstance(v, str):
            yield v.encode("utf-8").hex()
        else:
            yield str(v)


def rows(table):
    return [list(r) for r in zip(*(list(plain(c)) for c in table.columns))]


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
        "stats": [
            [
                [str(s.min), str(s.max), s.null_count] if (s := m.row_group(g).column(c).statistics) and s.has_min_max else None
                for c in range(m.num_columns)
            ]
            for m in [pq.read_metadata(path)]
            for g in range(m.num_row_groups)
        ],
    }
json.dump(out, sys.stdout)
