-- I10: no lost update
-- Of the commands pinned to a version at most one commits, and then as the next version; that the
-- version had moved is said only if it had. No two commands make the same version, and no more
-- are accepted than the log has versions.
--
-- needs: ops, events, writers
-- evidence: at least one version to which two commands were pinned
-- reading: `version` is what the commands were pinned to. Two that committed overwrote one
--   another's decision. What committed is what was accepted, and what is in the log although
--   nobody was told. A refusal does nothing, nor does an answer that repeats an earlier one: the
--   other calls of a key say what it was pinned to.
-- example: several commands pinned to one version committed: account a1, version 4, expected 1,
--   found 2. Two clients both saw version 4 and said so, and the second one's command overwrote the
--   first one's.

--@ violations
WITH pinned AS (
    SELECT DISTINCT principal, key FROM ops WHERE expected_version IS NOT NULL
),
tried AS (
    -- What may have decided: neither refusals nor answers that were given again.
    SELECT o.principal, o.key, o.expected_version
    FROM ops o
    JOIN pinned p ON p.principal = o.principal AND p.key = o.key
    WHERE o.kind = 'command' AND o.outcome <> 'fail' AND NOT o.replayed
),
accepted AS (
    SELECT DISTINCT principal, key, aggregate, version
    FROM ops
    WHERE kind = 'command' AND outcome = 'ok'
),
committed AS (
    -- What was accepted, and what is in the log whatever was answered.
    SELECT a.principal, a.key, a.aggregate, a.version
    FROM accepted a
    JOIN pinned p ON p.principal = a.principal AND p.key = a.key
    UNION
    SELECT e.principal, e.key, e.aggregate, e.version
    FROM events e
    JOIN pinned p ON p.principal = e.principal AND p.key = e.key
),
decided AS (
    SELECT
        c.principal, c.key, c.aggregate, c.version,
        MIN(t.expected_version) AS first_pin,
        MAX(t.expected_version) AS last_pin,
        COALESCE(BOOL_OR(t.expected_version + 1 = c.version), FALSE) AS is_next
    FROM committed c
    JOIN tried t ON t.principal = c.principal AND t.key = c.key
    GROUP BY c.principal, c.key, c.aggregate, c.version
    HAVING COUNT(t.expected_version) = COUNT(*)  -- it was pinned each time it was sent
),
logged AS (
    SELECT aggregate, MAX(version) AS newest FROM events GROUP BY aggregate
)
SELECT
    'several commands pinned to one version committed' AS what,
    d.aggregate, d.first_pin AS version, NULL AS event_id, MIN(d.key) AS key,
    1 AS expected, COUNT(*) AS found
FROM (
    SELECT DISTINCT principal, key, aggregate, first_pin FROM decided WHERE first_pin = last_pin
) d
GROUP BY d.aggregate, d.first_pin
HAVING COUNT(*) > 1
UNION ALL
SELECT
    'a pinned command committed as another version than the next',
    d.aggregate, d.first_pin, NULL, d.key, d.first_pin + 1, d.version
FROM decided d
WHERE NOT d.is_next
UNION ALL
SELECT
    'told that the version had moved, and it had not',
    o.aggregate, o.expected_version, NULL, o.key, o.expected_version + 1, o.expected_version
FROM ops o
LEFT JOIN logged ON logged.aggregate = o.aggregate
CROSS JOIN (SELECT COALESCE(MAX(clock_error_ns), 0) * 2 AS error_ns FROM writers) clocks
WHERE o.kind = 'command' AND o.outcome = 'fail' AND o.status = 412
    AND (logged.newest IS NULL OR logged.newest <= o.expected_version)
    AND EXISTS (
        SELECT 1 FROM ops made
        WHERE made.kind = 'command' AND made.outcome = 'ok'
            AND made.aggregate = o.aggregate AND made.version = o.expected_version
            AND made.end_ns + clocks.error_ns < o.start_ns
    )
UNION ALL
SELECT
    'two accepted commands were told the same version',
    a.aggregate, a.version, NULL, MIN(a.key), 1, COUNT(*)
FROM accepted a
WHERE a.aggregate IS NOT NULL AND a.version IS NOT NULL
GROUP BY a.aggregate, a.version
HAVING COUNT(*) > 1
UNION ALL
SELECT
    'more commands were accepted than the log has versions',
    told.aggregate, NULL, NULL, NULL, told.accepted, COALESCE(logged.newest, 0)
FROM (
    SELECT aggregate, COUNT(*) AS accepted
    FROM (SELECT DISTINCT principal, key, aggregate FROM accepted) a
    GROUP BY aggregate
) told
LEFT JOIN logged ON logged.aggregate = told.aggregate
WHERE told.accepted > COALESCE(logged.newest, 0)

--@ unknown
SELECT 'a recorder that may have written to it was killed' AS what, o.aggregate
FROM ops o
JOIN writers w ON w.writer = o.writer
WHERE NOT w.closed AND o.kind = 'command' AND o.aggregate IS NOT NULL

--@ unknown
SELECT 'a recorder that may have written to it was killed' AS what, e.aggregate
FROM events e
JOIN writers w ON SUBSTR(e.key, 1, LENGTH(w.writer) + 1) = CONCAT(w.writer, '.')
WHERE NOT w.closed

--@ evidence
SELECT 'versions to which several commands were pinned' AS what, COUNT(*) AS seen, 1 AS needed
FROM (
    SELECT aggregate, expected_version
    FROM (
        SELECT DISTINCT principal, key, aggregate, expected_version
        FROM ops
        WHERE kind = 'command' AND expected_version IS NOT NULL AND aggregate IS NOT NULL
    ) pinned
    GROUP BY aggregate, expected_version
    HAVING COUNT(*) > 1
) contended
