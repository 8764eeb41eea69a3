-- I10: no lost update
-- Of the commands pinned to a version at most one commits, and then as the next version; one
-- does, if none is in doubt, nobody else wrote, and every refusal says that the version had
-- moved. No two commands make the same version.
--
-- needs: ops, events, writers
-- by: aggregate
-- evidence: at least one version to which two commands were pinned
-- reading: `version` is what the commands were pinned to. Two that committed overwrote one
--   another's decision.

--@ violations
WITH pinned AS (
    SELECT
        aggregate,
        expected_version,
        COUNT(DISTINCT CASE WHEN outcome = 'ok' THEN event_id END) AS committed,
        BOOL_OR(outcome = 'ok') AS is_ok,
        BOOL_OR(outcome = 'info') AS is_open,
        BOOL_AND(outcome <> 'fail' OR status = 412) AS is_moved_only,
        MIN(start_ns) AS start_ns
    FROM ops
    WHERE kind = 'command' AND expected_version IS NOT NULL AND aggregate IS NOT NULL
    GROUP BY aggregate, expected_version
)
SELECT
    'several commands pinned to one version committed' AS what,
    p.aggregate, p.expected_version AS version, NULL AS event_id, NULL AS key,
    1 AS expected, p.committed AS found
FROM pinned p
WHERE p.committed > 1
UNION ALL
SELECT
    'a pinned command committed as another version than the next',
    o.aggregate, o.expected_version, o.event_id, o.key, o.expected_version + 1, o.version
FROM ops o
WHERE o.kind = 'command' AND o.outcome = 'ok' AND o.expected_version IS NOT NULL
    AND o.version <> o.expected_version + 1
UNION ALL
SELECT
    'all were told that the version had moved, and it had not',
    p.aggregate, p.expected_version, NULL, NULL, p.expected_version + 1, p.expected_version
FROM pinned p
JOIN (
    SELECT aggregate, version, MIN(end_ns) AS end_ns
    FROM ops
    WHERE kind = 'command' AND outcome = 'ok'
    GROUP BY aggregate, version
) made ON made.aggregate = p.aggregate AND made.version = p.expected_version
CROSS JOIN (SELECT COALESCE(MAX(clock_error_ns), 0) * 2 AS error_ns FROM writers) clocks
WHERE NOT p.is_ok AND NOT p.is_open AND p.is_moved_only
    AND made.end_ns + clocks.error_ns < p.start_ns
    AND NOT EXISTS (
        SELECT 1 FROM events e
        WHERE e.aggregate = p.aggregate AND e.version > p.expected_version
    )
    AND NOT EXISTS (SELECT 1 FROM writers w WHERE NOT w.closed)
UNION ALL
SELECT
    'two accepted commands were told the same version',
    o.aggregate, o.version, MIN(o.event_id), MIN(o.key), 1, COUNT(DISTINCT o.event_id)
FROM ops o
WHERE o.kind = 'command' AND o.outcome = 'ok'
GROUP BY o.aggregate, o.version
HAVING COUNT(DISTINCT o.event_id) > 1
UNION ALL
SELECT
    'more commands were accepted than the log has versions',
    told.aggregate, NULL, NULL, NULL, told.accepted, logged.newest
FROM (
    SELECT aggregate, COUNT(DISTINCT event_id) AS accepted
    FROM ops
    WHERE kind = 'command' AND outcome = 'ok'
    GROUP BY aggregate
) told
JOIN (SELECT aggregate, MAX(version) AS newest FROM events GROUP BY aggregate) logged
    ON logged.aggregate = told.aggregate
WHERE told.accepted > logged.newest

--@ unknown
SELECT DISTINCT 'a recorder that may have written to it was killed' AS what, o.aggregate
FROM ops o
JOIN writers w ON w.writer = o.writer
WHERE NOT w.closed AND o.kind = 'command' AND o.expected_version IS NOT NULL

--@ evidence
SELECT 'versions to which several commands were pinned' AS what, COUNT(*) AS seen, 1 AS needed
FROM (
    SELECT aggregate, expected_version
    FROM ops
    WHERE kind = 'command' AND expected_version IS NOT NULL
    GROUP BY aggregate, expected_version
    HAVING COUNT(DISTINCT key) > 1
) contended
