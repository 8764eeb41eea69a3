-- I8: true reads
-- A read with a token is never older than the token. Every answer, with a token or without, is
-- the fold of the events up to its version, field by field; every page of a statement is a slice
-- of the log without a hole.
--
-- needs: events, account_reads, page_reads, page_lines, owner_reads, totals_reads
-- evidence: at least one account that was read and is in the log
-- reading: `expected` is the token, or the version that the log should have; `found` is what was
--   read. A 404 is a read of version 0; an answer that the read model is behind is honest, and no
--   read at all.
-- example: older than its token: account a1, version 2, expected 3, found 2. The session had been
--   told that its deposit made version 3, asked for that version, and was shown the one before.

--@ violations
WITH summed AS (
    -- The place is how many versions the log has up to this one: a hole shows in it, and not in
    -- the sum, where another version has two lines. A version with two lines fits no page.
    SELECT
        aggregate,
        version,
        digest,
        SUM(digest) OVER (
            PARTITION BY aggregate ORDER BY version ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS digest_sum,
        ROW_NUMBER() OVER (PARTITION BY aggregate ORDER BY version) AS place
    FROM (
        SELECT
            aggregate,
            version,
            CASE
                WHEN MIN(line_digest) = MAX(line_digest) THEN MIN(line_digest)
                ELSE -1
            END AS digest
        FROM events
        GROUP BY aggregate, version
    ) one_each
)
SELECT
    'older than its token' AS what,
    r.aggregate, r.version, NULL AS event_id, NULL AS key, r.token AS expected, r.version AS found
FROM account_reads r
WHERE r.token IS NOT NULL AND r.version < r.token
UNION ALL
SELECT
    CASE
        WHEN e.version IS NULL THEN 'an account at a version that the log does not have'
        ELSE 'an account that is not the fold of the events up to its version'
    END,
    r.aggregate, r.version, e.event_id, NULL, e.version, r.version
FROM account_reads r
LEFT JOIN events e ON e.aggregate = r.aggregate AND e.version = r.version
WHERE (e.version IS NULL AND r.version <> 0)
    OR (e.version IS NOT NULL AND r.digest IS DISTINCT FROM e.state_digest)
UNION ALL
SELECT
    'an account among those of its owner that no version of the log is',
    r.aggregate, r.version, NULL, NULL, r.version, r.version
FROM owner_reads r
LEFT JOIN events e
    ON e.aggregate = r.aggregate AND e.version = r.version AND e.state_digest = r.digest
WHERE e.version IS NULL
UNION ALL
SELECT
    'an account among those of an owner who is not its own',
    r.aggregate, r.version, e.event_id, NULL, NULL, NULL
FROM owner_reads r
JOIN events e ON e.aggregate = r.aggregate AND e.version = r.version
WHERE e.owner IS NOT NULL AND e.owner <> r.owner
UNION ALL
SELECT
    'a page with a hole, a repeat, or lines out of order',
    p.aggregate, p.first_version, NULL, NULL, p.first_version - p.last_version + 1, p.lines
FROM page_reads p
WHERE CASE
    WHEN p.lines = 0 THEN p.first_version <> 0 OR p.last_version <> 0 OR p.digest_sum <> 0
    ELSE p.last_version < 1 OR p.first_version - p.last_version + 1 <> p.lines
END
UNION ALL
SELECT
    'a last page that does not reach the first event',
    p.aggregate, p.first_version, NULL, NULL, 1, p.last_version
FROM page_reads p
WHERE p.is_last AND p.lines > 0 AND p.last_version <> 1
UNION ALL
SELECT
    'a page with other lines than the events make',
    p.aggregate, p.first_version, NULL, NULL, p.first_version, p.last_version
FROM page_reads p
LEFT JOIN summed newest ON newest.aggregate = p.aggregate AND newest.version = p.first_version
LEFT JOIN summed oldest ON oldest.aggregate = p.aggregate AND oldest.version = p.last_version
WHERE p.lines > 0
    AND (
        newest.version IS NULL
        OR oldest.version IS NULL
        OR newest.place - oldest.place + 1 <> p.lines
        OR p.digest_sum <> newest.digest_sum - oldest.digest_sum + oldest.digest
    )
UNION ALL
SELECT
    'a line of a page that its event does not make',
    l.aggregate, l.version, NULL, NULL, l.place, l.version
FROM page_lines l
LEFT JOIN events e
    ON e.aggregate = l.aggregate AND e.version = l.version AND e.line_digest = l.digest
WHERE l.place <> l.version OR e.version IS NULL
UNION ALL
SELECT
    'totals of more accounts than the owner ever had',
    r.owner, NULL, NULL, NULL, COALESCE(o.accounts, 0), r.accounts
FROM totals_reads r
LEFT JOIN (
    SELECT owner, COUNT(DISTINCT aggregate) AS accounts FROM events GROUP BY owner
) o ON o.owner = r.owner
WHERE r.accounts < 0 OR r.accounts > COALESCE(o.accounts, 0)

--@ evidence
SELECT 'accounts read that are in the log' AS what, COUNT(*) AS seen, 1 AS needed
FROM account_reads
WHERE version <> 0
