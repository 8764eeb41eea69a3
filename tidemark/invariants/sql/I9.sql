-- I9: monotonic reads
-- What one session reads of an account with a token never goes back behind what it has read of
-- it before. Reads without a token may, and are counted among the measures.
--
-- needs: account_reads
-- evidence: at least one session that read an account again, with a token
-- reading: `expected` is the newest version that the session had read, `found` the older one.
-- example: a read behind an earlier one of its session: account a1, version 2, expected 3, found 2.
--   The session had seen version 3, and its next read showed version 2.

--@ screen
-- What is read with a token, by who has read nothing newer at any time, is not behind. Who else
-- there is has the same windows as below, with one number for who reads what.
WITH reads AS (
    SELECT hash(writer, session, aggregate) AS reader, seq, version, token FROM account_reads
),
suspected AS (
    SELECT reader
    FROM reads
    GROUP BY reader
    HAVING MIN(CASE WHEN token IS NOT NULL THEN version END) < MAX(version)
)
SELECT reader
FROM (
    SELECT
        reader, version, token,
        MAX(version) OVER (
            PARTITION BY reader ORDER BY seq, version
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS seen
    FROM reads
    WHERE reader IN (SELECT reader FROM suspected)
)
WHERE token IS NOT NULL AND version < seen

--@ violations
SELECT
    'a read behind an earlier one of its session' AS what,
    r.aggregate, r.version, NULL AS event_id, NULL AS key, r.seen AS expected, r.version AS found
FROM (
    SELECT
        aggregate,
        version,
        token,
        MAX(version) OVER (
            PARTITION BY writer, session, aggregate
            ORDER BY seq, version
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS seen
    FROM account_reads
) r
WHERE r.token IS NOT NULL AND r.seen IS NOT NULL AND r.version < r.seen

--@ evidence
SELECT 'accounts read again in a session, with a token' AS what, COUNT(*) AS seen, 1 AS needed
FROM (
    SELECT writer, session, aggregate
    FROM account_reads
    GROUP BY writer, session, aggregate
    HAVING MAX(CASE WHEN token IS NOT NULL THEN seq END) > MIN(seq)
) again
