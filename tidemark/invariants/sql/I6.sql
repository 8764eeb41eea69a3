-- I6: convergence
-- In the final state every account of the read model is the fold of its events, field by field,
-- with the statement lines that they make; the API shows just that; and the read side got there
-- within its bound after the last write, or after the last fault had healed. Of what a recorder
-- that was killed read at the end, a part may be missing.
--
-- needs: events, accounts, lines, totals, ops, account_reads, page_reads, totals_reads,
--   owner_reads, faults, settings, writers
-- evidence: at least one account
-- reading: `expected` is the version of the log, `found` that of the read model. Equal versions
--   mean that some field differs: compare the account with its last event.
-- example: the account is not the fold of its events: account a1, version 3, event e9, key
--   r.w1.c2.7, expected 3, found 3. Versions 2 and 3 were applied in the wrong order, and the
--   balance of version 2 stayed.

--@ violations
WITH latest AS (
    SELECT aggregate, MAX(version) AS version FROM events GROUP BY aggregate
),
folded AS (
    SELECT e.aggregate, e.version, e.event_id, e.key, e.state_digest
    FROM events e
    JOIN latest l ON l.aggregate = e.aggregate AND l.version = e.version
)
SELECT
    CASE
        WHEN a.aggregate IS NULL THEN 'no account on the read side'
        WHEN a.version <> f.version THEN 'the account is at another version than its log'
        ELSE 'the account is not the fold of its events'
    END AS what,
    f.aggregate, f.version, f.event_id, f.key,
    f.version AS expected, COALESCE(a.version, 0) AS found
FROM folded f
LEFT JOIN accounts a ON a.aggregate = f.aggregate
WHERE a.aggregate IS NULL OR a.version <> f.version OR a.digest <> f.state_digest
UNION ALL
SELECT
    'two rows for one account',
    aggregate, NULL, NULL, NULL, 1, COUNT(*)
FROM accounts
GROUP BY aggregate
HAVING COUNT(*) > 1
UNION ALL
SELECT
    'a statement line says something else than its event',
    l.aggregate, l.version, e.event_id, e.key, NULL, NULL
FROM lines l
JOIN events e ON e.aggregate = l.aggregate AND e.version = l.version
WHERE l.digest <> e.line_digest
UNION ALL
SELECT
    'the API shows another account than the read model holds',
    r.aggregate, r.version, NULL, NULL, a.version, r.version
FROM (SELECT DISTINCT writer, session, seq FROM ops WHERE purpose = 'final') o
JOIN account_reads r ON r.writer = o.writer AND r.session = o.session AND r.seq = o.seq
LEFT JOIN accounts a ON a.aggregate = r.aggregate
WHERE r.version <> COALESCE(a.version, 0) OR r.digest IS DISTINCT FROM a.digest
UNION ALL
SELECT
    'the API shows another first statement line than the read model holds',
    shown.aggregate, shown.version, NULL, NULL, a.version, shown.version
FROM (
    SELECT r.aggregate, MAX(r.first_version) AS version
    FROM page_reads r
    JOIN ops o ON o.writer = r.writer AND o.session = r.session AND o.seq = r.seq
    WHERE o.purpose = 'final'
    GROUP BY r.aggregate
) shown
LEFT JOIN accounts a ON a.aggregate = shown.aggregate
WHERE shown.version > COALESCE(a.version, 0)
    OR (
        shown.version < COALESCE(a.version, 0)
        AND NOT EXISTS (SELECT 1 FROM writers w WHERE NOT w.closed)
    )
UNION ALL
SELECT
    'the API shows another account of an owner than the read model holds',
    r.aggregate, r.version, NULL, NULL, a.version, r.version
FROM owner_reads r
JOIN ops o ON o.writer = r.writer AND o.session = r.session AND o.seq = r.seq
LEFT JOIN accounts a ON a.aggregate = r.aggregate
WHERE o.purpose = 'final'
    AND (r.version <> COALESCE(a.version, 0) OR r.digest IS DISTINCT FROM a.digest)
UNION ALL
SELECT
    'the API shows more or fewer accounts of an owner than the totals count',
    shown.owner, NULL, NULL, NULL, COALESCE(t.accounts, 0), shown.accounts
FROM (
    SELECT o.owner, COUNT(DISTINCT r.aggregate) AS accounts
    FROM ops o
    LEFT JOIN owner_reads r ON r.writer = o.writer AND r.session = o.session AND r.seq = o.seq
    WHERE o.purpose = 'final' AND o.reads = 'owner_reads'
    GROUP BY o.owner
    HAVING BOOL_AND(o.outcome = 'ok')
) shown
LEFT JOIN totals t ON t.owner = shown.owner
WHERE shown.accounts > COALESCE(t.accounts, 0)
    OR (
        shown.accounts < COALESCE(t.accounts, 0)
        AND NOT EXISTS (SELECT 1 FROM writers w WHERE NOT w.closed)
    )
UNION ALL
SELECT
    'the API shows other totals than the read model holds',
    r.owner, NULL, NULL, NULL, t.balance, r.balance
FROM totals_reads r
JOIN ops o ON o.writer = r.writer AND o.session = r.session AND o.seq = r.seq
LEFT JOIN totals t ON t.owner = r.owner
WHERE o.purpose = 'final'
    AND (r.balance <> COALESCE(t.balance, 0) OR r.accounts <> COALESCE(t.accounts, 0))
UNION ALL
SELECT
    'the read side came later than its bound, in ms, after the last write or fault',
    NULL, NULL, NULL, NULL, s.value, NULL
FROM (
    SELECT
        MAX(projected_at_ms) * 1000000 AS converged_ns,
        MAX(recorded_at_ms) * 1000000 AS written_ns
    FROM events
) c
CROSS JOIN (SELECT COALESCE(MAX(end_ns), 0) AS healed_ns FROM faults) f
JOIN settings s ON s.name = 'convergence_bound_ms'
WHERE c.converged_ns - GREATEST(c.written_ns, f.healed_ns) > s.value * 1000000

--@ unknown
SELECT 'the API did not say in the end what it shows' AS what,
    COALESCE(aggregate, owner) AS aggregate
FROM ops
WHERE kind = 'query' AND purpose = 'final'
    AND outcome <> 'ok' AND status IS DISTINCT FROM 404

--@ evidence
SELECT 'accounts of the log' AS what, COUNT(DISTINCT aggregate) AS seen, 1 AS needed FROM events
UNION ALL
SELECT 'bounds of convergence', COUNT(*), 1 FROM settings WHERE name = 'convergence_bound_ms'
UNION ALL
SELECT 'accounts read again in the end', COUNT(DISTINCT aggregate), 0
FROM ops
WHERE purpose = 'final' AND reads = 'account_reads'
