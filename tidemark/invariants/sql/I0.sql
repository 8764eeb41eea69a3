-- I0: sound history
-- The history does not contradict itself: the ops of a session are numbered one after the other
-- and never overlap, what a read saw belongs to an op that says the same, and nothing is written
-- down twice, or left out by a writer that says it wrote everything. A history that is not sound
-- proves nothing. Of what a recorder that was killed had to write, any part may be missing.
--
-- needs: ops, account_reads, page_reads, page_lines, totals_reads, owner_reads, commands,
--   snapshots, invocations, totals, planned_faults, faults, settings, claims, writers
-- evidence: at least one op
-- reading: this is about the recorder, the export or somebody's edit, not about the system.
-- example: an op that began before the one before it had ended: key r.w1.c2, expected 1200, found
--   1100. Two ops of one session overlap, and nobody can say which of them came first.

--@ violations
SELECT
    'an op that ended before it began, or began before it was planned' AS what,
    o.aggregate, o.version, o.event_id, o.session AS key, o.start_ns AS expected, o.end_ns AS found
FROM ops o
WHERE o.end_ns < o.start_ns OR o.start_ns < o.intended_ns
UNION ALL
SELECT
    'an outcome that its status does not mean',
    o.aggregate, o.version, o.event_id, o.session, NULL, o.status
FROM ops o
WHERE (o.outcome = 'ok' AND (o.status IS NULL OR o.status NOT BETWEEN 200 AND 299))
    OR (o.outcome = 'fail' AND (o.status NOT BETWEEN 400 AND 499 OR o.status = 408))
    OR (o.outcome = 'info' AND o.status BETWEEN 400 AND 499 AND o.status <> 408)
    OR o.outcome NOT IN ('ok', 'fail', 'info')
UNION ALL
SELECT
    'an op that says what one of its kind cannot say, or not what it must',
    o.aggregate, o.version, o.event_id, o.session, NULL, NULL
FROM ops o
WHERE o.kind NOT IN ('command', 'query')
    OR (
        o.kind = 'command'
        AND (
            o.key IS NULL OR o.principal IS NULL OR o.payload_hash IS NULL
            OR o.reads IS NOT NULL OR o.token IS NOT NULL OR o.owner IS NOT NULL
        )
    )
    OR (
        o.kind = 'query'
        AND (
            o.key IS NOT NULL OR o.principal IS NOT NULL OR o.payload_hash IS NOT NULL
            OR o.effect_digest IS NOT NULL OR o.expected_version IS NOT NULL
        )
    )
    OR (
        o.kind = 'command' AND o.outcome = 'ok'
        AND (o.aggregate IS NULL OR o.version IS NULL OR o.event_id IS NULL)
    )
    OR ((o.replayed OR o.event_id IS NOT NULL) AND (o.kind = 'query' OR o.outcome <> 'ok'))
    OR (o.reads IS NULL) <> (o.rows_read IS NULL)
    OR o.reads NOT IN ('account_reads', 'page_reads', 'totals_reads', 'owner_reads')
    OR o.rows_read < 0
    OR (o.reads <> 'account_reads' AND o.token IS NOT NULL)
    OR (o.outcome = 'info' AND o.rows_read <> 0)
    OR (o.reads <> 'owner_reads' AND o.rows_read > 1)
    OR (o.reads <> 'owner_reads' AND o.outcome = 'ok' AND o.rows_read <> 1)
UNION ALL
SELECT
    'one operation, here a command and there a query, or reads of several tables',
    NULL, NULL, NULL, operation, 1, COUNT(*)
FROM ops
GROUP BY operation
HAVING MIN(kind) <> MAX(kind) OR MIN(reads) <> MAX(reads)
UNION ALL
SELECT
    'two closing rows of one writer',
    NULL, NULL, NULL, writer, 1, COUNT(*)
FROM writers
GROUP BY writer
HAVING COUNT(*) > 1
UNION ALL
SELECT
    'an op of a writer that the run does not know',
    o.aggregate, o.version, o.event_id, o.writer, NULL, NULL
FROM ops o
WHERE NOT EXISTS (SELECT 1 FROM writers w WHERE w.writer = o.writer)
UNION ALL
SELECT
    'a kept answer is there twice',
    MIN(aggregate), MIN(version), MIN(event_id), key, 1, COUNT(*)
FROM commands
GROUP BY principal, key
HAVING COUNT(*) > 1
UNION ALL
SELECT
    'a sample is there twice',
    MIN(aggregate), MIN(version), MIN(event_id), NULL, 1, COUNT(*)
FROM snapshots
GROUP BY writer, sample
HAVING COUNT(*) > 1
UNION ALL
SELECT
    'a sample is missing',
    NULL, NULL, NULL, writer, MAX(sample), COUNT(DISTINCT sample)
FROM snapshots
GROUP BY writer
HAVING MIN(sample) <> 1 OR MAX(sample) <> COUNT(DISTINCT sample)
UNION ALL
SELECT
    'a message is there twice in one invocation',
    NULL, NULL, NULL, message_id, 1, COUNT(*)
FROM invocations
GROUP BY request_id, message_id
HAVING COUNT(*) > 1
UNION ALL
SELECT
    'an invocation that ended and did not end',
    NULL, NULL, NULL, request_id, 1, 2
FROM invocations
GROUP BY request_id
HAVING BOOL_OR(ended) AND NOT BOOL_AND(ended)
UNION ALL
SELECT
    'two rows of totals for one owner',
    owner, NULL, NULL, NULL, 1, COUNT(*)
FROM totals
GROUP BY owner
HAVING COUNT(*) > 1
UNION ALL
SELECT
    'a fault is there twice, or ended before it began',
    MIN(aggregate), NULL, MIN(event_id), id, 1, COUNT(*)
FROM faults
GROUP BY id
HAVING COUNT(*) > 1 OR MIN(end_ns) < MIN(start_ns)
UNION ALL
SELECT
    'a plan, a bound or a claim is there twice',
    NULL, NULL, NULL, name, 1, COUNT(*)
FROM (
    SELECT fault AS name FROM planned_faults
    UNION ALL
    SELECT name FROM settings
    UNION ALL
    SELECT invariant FROM claims
) said
GROUP BY name
HAVING COUNT(*) > 1

--@ unknown
SELECT 'a writer began calls that it did not write down' AS what, w.writer AS aggregate
FROM writers w
WHERE w.closed AND w.ops_begun <> w.ops_written

--@ screen
-- Below, every op stands beside the one before it in its session, and beside what it read. Here
-- the ops of a session are counted through, and each table of what was read has one sum over all
-- of it, of a number for each row, which must be what the ops make of it.
SELECT 'order' AS what
FROM (
    SELECT seq, start_ns, ROW_NUMBER() OVER session AS place, LAG(end_ns) OVER session AS before_ns
    FROM (SELECT hash(writer, session) AS caller, seq, start_ns, end_ns FROM ops)
    WINDOW session AS (PARTITION BY caller ORDER BY seq)
)
WHERE seq <> place OR start_ns < before_ns
UNION ALL
SELECT place
FROM (
    SELECT
        reads AS place,
        SUM(
            rows_read::HUGEINT * hash(
                hash(
                    writer, session, seq, aggregate, owner, start_ns, end_ns,
                    CASE
                        WHEN reads = 'account_reads'
                            THEN hash(token, COALESCE(version, 0), outcome = 'ok', outcome = 'ok')
                    END
                )
            )
        ) AS total
    FROM ops
    WHERE kind = 'query' AND rows_read > 0
    GROUP BY reads
    UNION ALL
    SELECT
        'account_reads',
        -SUM(
            hash(
                hash(
                    writer, session, seq, aggregate, NULL::UBIGINT, start_ns, end_ns,
                    hash(token, version, version <> 0, digest IS NOT NULL)
                )
            )
        )
    FROM account_reads
    UNION ALL
    SELECT
        'page_reads',
        -SUM(
            hash(
                hash(
                    writer, session, seq, aggregate, NULL::UBIGINT, start_ns, end_ns,
                    NULL::UBIGINT
                )
            )
        )
    FROM page_reads
    UNION ALL
    SELECT
        'totals_reads',
        -SUM(
            hash(
                hash(
                    writer, session, seq, NULL::UBIGINT, owner, start_ns, end_ns, NULL::UBIGINT
                )
            )
        )
    FROM totals_reads
    UNION ALL
    SELECT
        'owner_reads',
        -SUM(
            hash(
                hash(
                    writer, session, seq, NULL::UBIGINT, owner, start_ns, end_ns, NULL::UBIGINT
                )
            )
        )
    FROM owner_reads
    UNION ALL
    SELECT 'page_lines', SUM(hash(hash(writer, session, seq, aggregate, place)))
    FROM (
        SELECT
            writer, session, seq, aggregate,
            UNNEST(RANGE(last_version, last_version + lines)) AS place
        FROM page_reads
        WHERE is_kept AND lines BETWEEN 1 AND 1000
    )
    UNION ALL
    SELECT 'page_lines', -SUM(hash(hash(writer, session, seq, aggregate, place))) FROM page_lines
)
GROUP BY place
HAVING SUM(total) <> 0
UNION ALL
SELECT 'an account twice on a page'
FROM owner_reads
GROUP BY hash(writer, session, seq, aggregate, version)
HAVING COUNT(*) > 1
UNION ALL
SELECT 'a page that was kept, of any size'
FROM page_reads
WHERE is_kept AND lines <> 0
    AND (lines NOT BETWEEN 1 AND 1000 OR lines <> first_version - last_version + 1)

--@ violations
WITH reads AS (
    SELECT 'account_reads' AS place, writer, session, seq, aggregate FROM account_reads
    UNION ALL
    SELECT 'page_reads', writer, session, seq, aggregate FROM page_reads
    UNION ALL
    SELECT 'totals_reads', writer, session, seq, NULL FROM totals_reads
),
unfit_accounts AS (
    -- An account that was read, and its op is not there, is another, or says something else.
    SELECT
        r.writer, r.session, r.seq, r.aggregate, r.version, o.version AS op_version,
        COALESCE(
            o.kind = 'query' AND o.start_ns = r.start_ns AND o.end_ns = r.end_ns
            AND o.aggregate = r.aggregate AND o.owner IS NULL,
            FALSE
        ) AS is_own
    FROM account_reads r
    LEFT JOIN ops o ON o.writer = r.writer AND o.session = r.session AND o.seq = r.seq
        AND o.reads = 'account_reads'
    WHERE o.seq IS NULL OR o.kind <> 'query'
        OR o.start_ns <> r.start_ns OR o.end_ns <> r.end_ns
        OR o.aggregate IS DISTINCT FROM r.aggregate OR o.owner IS NOT NULL
        OR COALESCE(o.version, 0) <> r.version OR o.token IS DISTINCT FROM r.token
        OR (r.version <> 0) <> (r.digest IS NOT NULL) OR (r.version <> 0) <> (o.outcome = 'ok')
),
alone AS (
    -- What a read saw, and its op is not there, or another.
    SELECT writer, session, seq, aggregate FROM unfit_accounts WHERE NOT is_own
    UNION ALL
    SELECT r.writer, r.session, r.seq, r.aggregate
    FROM page_reads r
    LEFT JOIN ops o ON o.writer = r.writer AND o.session = r.session AND o.seq = r.seq
        AND o.reads = 'page_reads'
    WHERE o.seq IS NULL OR o.kind <> 'query'
        OR o.start_ns <> r.start_ns OR o.end_ns <> r.end_ns
        OR o.aggregate IS DISTINCT FROM r.aggregate OR o.owner IS NOT NULL
    UNION ALL
    SELECT r.writer, r.session, r.seq, NULL
    FROM totals_reads r
    LEFT JOIN ops o ON o.writer = r.writer AND o.session = r.session AND o.seq = r.seq
        AND o.reads = 'totals_reads'
    WHERE o.seq IS NULL OR o.kind <> 'query'
        OR o.start_ns <> r.start_ns OR o.end_ns <> r.end_ns
        OR o.aggregate IS NOT NULL OR o.owner IS DISTINCT FROM r.owner
),
orphans AS (
    -- What a killed recorder still wrote down, without the op, or the page, that it belongs to.
    SELECT DISTINCT r.place, r.writer, r.session, r.seq
    FROM (
        SELECT 'ops' AS place, writer, session, seq FROM alone
        UNION ALL
        SELECT 'ops', writer, session, seq FROM owner_reads
        UNION ALL
        SELECT 'page_reads', writer, session, seq FROM page_lines
    ) r
    JOIN writers w ON w.writer = r.writer
    LEFT JOIN (
        SELECT 'ops' AS place, writer, session, seq FROM ops
        UNION ALL
        SELECT 'page_reads', writer, session, seq FROM page_reads
    ) known ON known.place = r.place AND known.writer = r.writer
        AND known.session = r.session AND known.seq = r.seq
    WHERE NOT w.closed AND known.seq IS NULL
),
numbered AS (
    SELECT
        writer, session, seq, aggregate, start_ns,
        LAG(seq) OVER (PARTITION BY writer, session ORDER BY seq, start_ns) AS before_seq,
        LAG(end_ns) OVER (PARTITION BY writer, session ORDER BY seq, start_ns) AS before_ns
    FROM ops
),
disordered AS (
    SELECT * FROM numbered WHERE seq = before_seq OR start_ns < before_ns
)
SELECT
    'two ops with one number' AS what,
    MIN(d.aggregate) AS aggregate, NULL AS version, NULL AS event_id, d.session AS key,
    1 AS expected, COUNT(*) + 1 AS found
FROM disordered d
WHERE d.seq = d.before_seq
GROUP BY d.writer, d.session, d.seq
UNION ALL
SELECT
    'a session without some of its ops, by a writer that wrote down all of them',
    s.aggregate, NULL, NULL, s.session, s.newest, s.found
FROM (
    SELECT writer, session, MIN(aggregate) AS aggregate, COUNT(*) AS found, MAX(seq) AS newest
    FROM ops
    GROUP BY writer, session
    HAVING MIN(seq) <> 1 OR MAX(seq) > COUNT(*)
) s
WHERE EXISTS (
    SELECT 1 FROM writers w
    WHERE w.writer = s.writer AND w.closed AND w.ops_begun = w.ops_written
)
UNION ALL
SELECT
    'an op that began before the one before it had ended',
    d.aggregate, NULL, NULL, d.session, d.before_ns, d.start_ns
FROM disordered d
WHERE d.start_ns < d.before_ns
UNION ALL
SELECT
    'what a read saw is written down twice',
    MIN(r.aggregate), NULL, NULL, r.session, 1, COUNT(*)
FROM reads r
GROUP BY r.place, r.writer, r.session, r.seq
HAVING COUNT(*) > 1
UNION ALL
SELECT
    'what a read saw, without the op that read it then',
    a.aggregate, NULL, NULL, a.session, NULL, a.seq
FROM alone a
WHERE NOT EXISTS (
    SELECT 1 FROM orphans x
    WHERE x.place = 'ops'
        AND x.writer = a.writer AND x.session = a.session AND x.seq = a.seq
)
UNION ALL
SELECT
    'an account that was read, and its op says something else',
    u.aggregate, u.version, NULL, NULL, u.op_version, u.version
FROM unfit_accounts u
WHERE u.is_own
UNION ALL
SELECT
    'an account on a page of an owner, without the op that read it then, or twice',
    r.aggregate, r.version, NULL, r.session, 1, COUNT(*)
FROM owner_reads r
LEFT JOIN ops o ON o.writer = r.writer AND o.session = r.session AND o.seq = r.seq
    AND o.reads = 'owner_reads' AND o.owner = r.owner AND o.aggregate IS NULL
    AND o.start_ns = r.start_ns AND o.end_ns = r.end_ns
LEFT JOIN orphans x ON x.place = 'ops'
    AND x.writer = r.writer AND x.session = r.session AND x.seq = r.seq
GROUP BY r.writer, r.session, r.seq, r.aggregate, r.version
HAVING COUNT(*) > 1 OR COUNT(o.seq) + COUNT(x.seq) <> 1
UNION ALL
SELECT
    'a line of a page that was not read, or twice',
    l.aggregate, l.version, NULL, l.session, 1, COUNT(*)
FROM page_lines l
LEFT JOIN page_reads p ON p.writer = l.writer AND p.session = l.session AND p.seq = l.seq
    AND p.aggregate = l.aggregate AND p.is_kept
    AND l.place BETWEEN p.last_version AND p.first_version
LEFT JOIN orphans x ON x.place = 'page_reads'
    AND x.writer = l.writer AND x.session = l.session AND x.seq = l.seq
GROUP BY l.writer, l.session, l.seq, l.aggregate, l.version, l.place
HAVING COUNT(*) > 1 OR COUNT(p.seq) + COUNT(x.seq) <> 1

--@ unknown
SELECT 'ops of a session are missing' AS what, s.session AS aggregate
FROM (
    SELECT writer, session
    FROM ops
    GROUP BY writer, session
    HAVING MIN(seq) <> 1 OR MAX(seq) > COUNT(*)
) s
UNION ALL
SELECT 'what a read saw is there, and its op was lost with its recorder', r.session
FROM (
    SELECT writer, session, seq FROM account_reads
    UNION ALL
    SELECT writer, session, seq FROM page_reads
    UNION ALL
    SELECT writer, session, seq FROM page_lines
    UNION ALL
    SELECT writer, session, seq FROM totals_reads
    UNION ALL
    SELECT writer, session, seq FROM owner_reads
) r
JOIN writers w ON w.writer = r.writer
LEFT JOIN ops o ON o.writer = r.writer AND o.session = r.session AND o.seq = r.seq
WHERE NOT w.closed AND o.seq IS NULL
UNION ALL
SELECT 'what a read saw is missing', COALESCE(o.aggregate, o.owner)
FROM ops o
LEFT JOIN (
    SELECT writer, session, seq, 'account_reads' AS place, 1 AS times FROM account_reads
    UNION ALL
    SELECT writer, session, seq, 'page_reads', 1 FROM page_reads
    UNION ALL
    SELECT writer, session, seq, 'totals_reads', 1 FROM totals_reads
    UNION ALL
    SELECT writer, session, seq, 'owner_reads', COUNT(*) FROM owner_reads
    GROUP BY writer, session, seq
) r ON r.writer = o.writer AND r.session = o.session AND r.seq = o.seq AND r.place = o.reads
WHERE o.rows_read <> COALESCE(r.times, 0)
UNION ALL
SELECT 'lines of a page that was kept are missing', p.aggregate
FROM page_reads p
LEFT JOIN (
    SELECT writer, session, seq, COUNT(*) AS kept FROM page_lines GROUP BY writer, session, seq
) l ON l.writer = p.writer AND l.session = p.session AND l.seq = p.seq
WHERE p.is_kept AND COALESCE(l.kept, 0) < p.lines

--@ evidence
SELECT 'ops' AS what, COUNT(*) AS seen, 1 AS needed FROM ops
UNION ALL
SELECT 'recorders that were killed', COUNT(*), 0 FROM writers WHERE NOT closed
