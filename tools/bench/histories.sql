-- A run of the bank as large as one likes, clean by construction: every cell is computed from the
-- number of its op or of its event, so that a read is known to be true without a simulation.
--
-- 997 sessions of 4 writers take turns, one op each 0.1 ms: one in five is a command, three read
-- an account, and of five others four read a page and one an owner. Of twenty commands eighteen
-- make an event, one is sent again under its key, one is refused; the first is pinned to a
-- version, and so is every second refused one. A thousand accounts are in use at a time; each
-- gets fifty versions, half a second apart, and every tenth is closed in the end. An event is
-- projected 20 to 220 ms after it was recorded.
--
-- An op is i, a command c (op 5 * c), an event e, an account a, a version v, an owner o.

--@ made
-- Chance, from 0 to 999.
CREATE MACRO drawn(n) AS (n::BIGINT * 7919 + n // 1000 * 104729) % 1000;
CREATE MACRO start_ns(i) AS 1767225600000000000 + i::BIGINT * 100000;
CREATE MACRO is_event(c) AS c % 20 < 18;
CREATE MACRO events_before(c) AS c // 20 * 18 + least(c % 20, 18);
CREATE MACRO command_of(e) AS e // 18 * 20 + e % 18;

CREATE MACRO account_of(e) AS e // 50000 * 1000 + e % 1000;
CREATE MACRO version_of(e) AS e // 1000 % 50 + 1;
CREATE MACRO event_of(a, v) AS a // 1000 * 50000 + (v - 1) * 1000 + a % 1000;
CREATE MACRO account_id(a) AS $run || '-a' || a;
CREATE MACRO owner_id(o) AS $run || '-o' || o;
CREATE MACRO id_of(text) AS
    substr(md5(text), 1, 8) || '-' || substr(md5(text), 9, 4) || '-' || substr(md5(text), 13, 4)
    || '-' || substr(md5(text), 17, 4) || '-' || substr(md5(text), 21);
CREATE MACRO event_id(e) AS id_of('event ' || e);
CREATE MACRO recorded_ms(e) AS start_ns(command_of(e) * 5) // 1000000 + 6;
CREATE MACRO projected_ms(e) AS recorded_ms(e) + 20 + drawn(e) * drawn(e) // 5000;

-- A deposit adds a share, and each second event takes half a share away.
CREATE MACRO share(a) AS 2 * (1 + a % 97);
CREATE MACRO is_closing(a) AS a % 10 = 0;
CREATE MACRO amount_of(a, v) AS CASE
    WHEN v = 1 OR (v = 50 AND is_closing(a)) THEN 0
    WHEN v = 49 AND is_closing(a) THEN -25 * (share(a) // 2)
    WHEN v % 2 = 0 THEN share(a)
    ELSE -1 * (share(a) // 2)
END;
CREATE MACRO balance_of(a, v) AS CASE
    WHEN v >= 49 AND is_closing(a) THEN 0
    ELSE v // 2 * share(a) - (v - 1) // 2 * (share(a) // 2)
END;
CREATE MACRO status_of(a, v) AS CASE WHEN v = 50 AND is_closing(a) THEN 'closed' ELSE 'open' END;
CREATE MACRO type_of(a, v) AS CASE
    WHEN v = 1 THEN 'AccountOpened'
    WHEN v = 50 AND is_closing(a) THEN 'AccountClosed'
    WHEN v % 2 = 0 THEN 'FundsDeposited'
    ELSE 'FundsWithdrawn'
END;

CREATE VIEW told AS
SELECT
    e, a, v,
    '{"aggregate":"' || account_id(a) || '","amount":' || abs(amount_of(a, v)) || ',"owner":'
    || CASE WHEN v = 1 THEN '"' || owner_id(a // 10) || '"' ELSE 'null' END
    || ',"type":"' || type_of(a, v) || '"}' AS effect,
    '{"account_id":"' || account_id(a) || '","balance":' || balance_of(a, v) || ',"owner_id":"'
    || owner_id(a // 10) || '","status":"' || status_of(a, v) || '","version":' || v
    || '}' AS state,
    '{"amount":' || abs(amount_of(a, v)) || ',"balance":' || balance_of(a, v)
    || ',"recorded_at":' || recorded_ms(e) || ',"type":"' || type_of(a, v)
    || '","version":' || v || '}' AS line
FROM (
    SELECT e, account_of(e) AS a, version_of(e) AS v
    FROM range(events_before($ops // 5)) events (e)
) numbered;

--@ asked
CREATE MACRO writer_of(i) AS $run || '.w' || (i % 997 % 4 + 1);
CREATE MACRO session_of(i) AS writer_of(i) || '.c' || (i % 997);
CREATE MACRO seq_of(i) AS i // 997 + 1;
CREATE MACRO key_of(i) AS session_of(i) || '.' || seq_of(i);
CREATE MACRO is_again(c) AS c % 20 = 18 AND c >= 997;
CREATE MACRO is_pinned(c) AS c % 20 = 0 OR (c % 20 = 19 AND c // 20 % 2 = 1);
CREATE MACRO is_lost(c) AS c % 1000 = 42 OR c % 2000 = 1019;
-- The newest version of an event's account that a call sees, if the event is its newest.
CREATE MACRO seen_version(e, i) AS
    version_of(e) - (projected_ms(e) * 1000000 > start_ns(i) + 3000000)::BIGINT;
-- What the session of a call sent three ops before, or one.
CREATE MACRO own_op(i) AS i - 997 * CASE i % 5 WHEN 1 THEN 3 ELSE 1 END;
CREATE MACRO is_own(i) AS i % 5 IN (1, 2) AND own_op(i) >= 0 AND is_event(own_op(i) // 5);
-- A thousand accounts that have all come to rest.
CREATE MACRO rested(i) AS (events_before(i // 5) - 1000) // 50000 - 1;

CREATE VIEW asked AS
SELECT
    c, i, e, is_made, is_again(c) AS is_again, is_lost(c) AS is_lost,
    is_pinned(c) AND version_of(e) > 1 AS is_pinned,
    account_of(e) AS a, version_of(e) AS v
FROM (
    SELECT
        c, c * 5 AS i, is_event(c) OR is_again(c) AS is_made,
        CASE
            WHEN is_event(c) THEN events_before(c)
            WHEN is_again(c) THEN events_before(c - 997)
            ELSE events_before(c // 20 * 20)
        END AS e
    FROM range(getvariable('first') // 5, getvariable('last') // 5) commands (c)
) numbered;

CREATE VIEW calls AS
SELECT
    i, reads, reads IN ('account_reads', 'page_reads') AS is_account, a, v, o,
    CASE WHEN has_token AND reads = 'account_reads' AND v > 0 THEN v END AS token,
    -- A page is the first or the second of ten lines.
    CASE WHEN i // 5 % 2 = 1 AND v > 10 THEN v - 10 ELSE v END AS newest,
    start_ns(i) AS start_ns, start_ns(i) + 5000000 + drawn(i) * 15000 AS end_ns
FROM (
    SELECT
        i, account_of(e) AS a, seen_version(e, i) AS v,
        is_own(i) AND i % 5 = 1 AND NOT is_lost(own_op(i) // 5) AS has_token,
        CASE
            WHEN i % 5 < 4 THEN 'account_reads'
            WHEN i // 5 % 5 < 4 THEN 'page_reads'
            WHEN i // 25 % 2 = 0 THEN 'totals_reads'
            ELSE 'owner_reads'
        END AS reads,
        greatest(rested(i), 0) * 100 + drawn(i) % 100 AS o
    FROM (
        SELECT
            i,
            CASE
                WHEN is_own(i) THEN events_before(own_op(i) // 5)
                ELSE greatest(events_before(i // 5) - drawn(i), 0)
            END AS e
        FROM range(getvariable('first'), getvariable('last')) numbers (i)
        WHERE i % 5 > 0
    ) chosen
) placed;

CREATE VIEW pages AS
SELECT
    i, a, newest, greatest(newest - 9, least(newest, 1)) AS oldest,
    (i // 997 + i) % 10 = 0 AS is_kept, start_ns, end_ns
FROM calls
WHERE reads = 'page_reads';

-- One in a thousand is healed by the next event of its account.
CREATE VIEW delivered AS
SELECT
    *, e % 997 = 13 AND v < 50 AND e + 1000 < events_before($ops // 5) AS is_healed
FROM made;

-- What the API shows when all is over.
CREATE TABLE final AS
SELECT
    seq, reads, n, v, start_ns($ops) + 60000000000 + seq * 10000000 AS start_ns,
    start_ns($ops) + 60000000000 + seq * 10000000 + 5000000 AS end_ns
FROM (
    SELECT row_number() OVER (ORDER BY reads, n) AS seq, reads, n, v
    FROM (
        SELECT 'account_reads' AS reads, a AS n, max(v) AS v FROM made WHERE a % 500 = 0 GROUP BY a
        UNION ALL
        SELECT DISTINCT 'totals_reads', a // 10, NULL FROM made WHERE a // 10 % 500 = 0
    ) named
) numbered;

CREATE TABLE newest AS SELECT a, max(v) AS v FROM made GROUP BY a;

CREATE TABLE owned AS
SELECT a // 10 AS o, count(*) AS accounts, sum(balance_of(a, v))::BIGINT AS balance
FROM newest
GROUP BY a // 10;

-- Five messages an invocation; one in a hundred comes twice.
CREATE VIEW outcomes AS
SELECT
    id_of('request ' || e // 5) AS request_id, id_of('message ' || e) AS message_id,
    1 AS receive_count, event_id(e) AS event_id, account_id(a) AS aggregate, v AS version,
    CASE WHEN is_healed THEN 'duplicate' ELSE 'applied' END AS outcome, 1 AS attempts,
    FALSE AS ambiguous, projected_ms(e) AS at_ms
FROM delivered
UNION ALL
SELECT
    id_of('again ' || e), id_of('message ' || e), 2, event_id(e), account_id(a), v, 'duplicate',
    1, FALSE, projected_ms(e) + 1000
FROM made
WHERE e % 100 = 41
UNION ALL
SELECT
    id_of('poison ' || n || ' ' || times), id_of('poisoned ' || n), times, NULL, NULL, NULL,
    'failed', 1, FALSE, start_ns(n * 1000) // 1000000 + times * 1000
FROM range(5) poison (n), range(1, 6) receives (times);

-- One event of 150 is sampled at once, and again when it is projected.
CREATE TABLE sampled AS
SELECT row_number() OVER (ORDER BY taken_ms, e) AS sample, e, taken_ms
FROM (
    SELECT e, recorded_ms(e) + 5 AS taken_ms FROM range(5, events_before($ops // 5), 150) t (e)
    UNION ALL
    SELECT e, recorded_ms(e) + 2000 FROM range(5, events_before($ops // 5), 150) t (e)
) twice;

--@ ops
SELECT
    writer_of(i) AS writer, session_of(i) AS session, seq_of(i) AS seq,
    'load' AS purpose, 'command' AS kind,
    CASE type_of(asked.a, CASE WHEN is_made THEN asked.v ELSE 3 END)
        WHEN 'AccountOpened' THEN 'open_account'
        WHEN 'FundsDeposited' THEN 'deposit'
        WHEN 'AccountClosed' THEN 'close'
        ELSE 'withdraw'
    END AS operation,
    NULL AS reads, NULL AS rows_read, 'AROA1' AS principal,
    key_of(CASE WHEN is_again THEN i - 4985 ELSE i END) AS key,
    md5('asks ' || asked.e || is_made) || md5('for ' || asked.e || is_made) AS payload_hash,
    CASE WHEN is_made THEN m.effect_digest END AS effect_digest,
    account_id(asked.a) AS aggregate, NULL AS owner,
    CASE WHEN is_pinned THEN asked.v - 1 END AS expected_version, NULL AS token,
    start_ns(i) AS intended_ns, start_ns(i) AS start_ns,
    start_ns(i) + 8000000 + drawn(i) * 20000 AS end_ns,
    CASE WHEN is_lost THEN 'info' WHEN is_made THEN 'ok' ELSE 'fail' END AS outcome,
    CASE WHEN is_lost THEN NULL WHEN is_made THEN 202 WHEN is_pinned THEN 412 ELSE 422 END AS status,
    is_again AS replayed,
    CASE WHEN is_made AND NOT is_lost THEN asked.v END AS version,
    CASE WHEN is_made AND NOT is_lost THEN event_id(asked.e) END AS event_id,
    CASE
        WHEN is_lost THEN 'timeout'
        WHEN is_made THEN NULL
        WHEN is_pinned THEN 'version-mismatch'
        ELSE 'insufficient-funds'
    END AS problem
FROM asked
JOIN made m ON m.e = asked.e
UNION ALL
SELECT
    writer_of(i), session_of(i), seq_of(i), 'load', 'query', CASE reads
        WHEN 'account_reads' THEN 'account'
        WHEN 'page_reads' THEN 'statement'
        WHEN 'totals_reads' THEN 'owner_totals'
        ELSE 'owner_accounts'
    END,
    reads, CASE WHEN reads <> 'owner_reads' THEN 1 WHEN rested(i) < 0 THEN 0 ELSE 10 END,
    NULL, NULL, NULL, NULL,
    CASE WHEN is_account THEN account_id(a) END, CASE WHEN NOT is_account THEN owner_id(o) END,
    NULL, token, start_ns, start_ns, end_ns,
    CASE WHEN is_missing THEN 'fail' ELSE 'ok' END, CASE WHEN is_missing THEN 404 ELSE 200 END,
    FALSE, CASE WHEN reads = 'account_reads' AND v > 0 THEN v END, NULL,
    CASE WHEN is_missing THEN 'no-such-account' END
FROM (SELECT *, reads = 'account_reads' AND v = 0 AS is_missing FROM calls) answered
UNION ALL
SELECT
    $run || '.w1', $run || '.w1.final', seq, 'final', 'query',
    CASE reads WHEN 'account_reads' THEN 'account' ELSE 'owner_totals' END, reads, 1,
    NULL, NULL, NULL, NULL,
    CASE reads WHEN 'account_reads' THEN account_id(n) END,
    CASE reads WHEN 'totals_reads' THEN owner_id(n) END,
    NULL, NULL, start_ns, start_ns, end_ns, 'ok', 200, FALSE, v, NULL, NULL
FROM final
WHERE getvariable('last') = $ops
ORDER BY start_ns

--@ account_reads
SELECT
    writer_of(calls.i) AS writer, session_of(calls.i) AS session, seq_of(calls.i) AS seq,
    account_id(calls.a) AS aggregate, calls.v AS version, token,
    m.state, m.state_digest AS digest, start_ns, end_ns
FROM calls
LEFT JOIN made m ON m.e = CASE WHEN calls.v > 0 THEN event_of(calls.a, calls.v) END
WHERE reads = 'account_reads'
UNION ALL
SELECT
    $run || '.w1', $run || '.w1.final', seq,
    account_id(n), f.v, NULL, m.state, m.state_digest, start_ns, end_ns
FROM final f
JOIN made m ON m.e = event_of(n, f.v)
WHERE reads = 'account_reads'

--@ page_reads
SELECT
    writer_of(i) AS writer, session_of(i) AS session, seq_of(i) AS seq,
    account_id(p.a) AS aggregate, newest AS first_version, oldest AS last_version,
    CASE WHEN newest = 0 THEN 0 ELSE newest - oldest + 1 END AS lines,
    coalesce(n.digest_sum - o.digest_sum + o.line_digest, 0) AS digest_sum,
    oldest <= 1 AS is_last, is_kept, start_ns, end_ns
FROM pages p
LEFT JOIN made n ON n.e = CASE WHEN newest > 0 THEN event_of(p.a, newest) END
LEFT JOIN made o ON o.e = CASE WHEN newest > 0 THEN event_of(p.a, oldest) END

--@ page_lines
SELECT
    writer_of(i) AS writer, session_of(i) AS session, seq_of(i) AS seq,
    account_id(m.a) AS aggregate, m.v AS version, m.v AS place, m.line, m.line_digest AS digest
FROM (
    SELECT i, unnest(range(event_of(a, oldest), event_of(a, newest) + 1, 1000)) AS e
    FROM pages
    WHERE is_kept AND newest > 0
) shown
JOIN made m ON m.e = shown.e

--@ totals_reads
SELECT
    writer_of(i) AS writer, session_of(i) AS session, seq_of(i) AS seq, owner_id(calls.o) AS owner,
    CASE WHEN rested(i) < 0 THEN 0 ELSE accounts END AS accounts,
    CASE WHEN rested(i) < 0 THEN 0 ELSE balance END AS balance, start_ns, end_ns
FROM calls
LEFT JOIN owned ON owned.o = calls.o
WHERE reads = 'totals_reads'
UNION ALL
SELECT
    $run || '.w1', $run || '.w1.final', seq, owner_id(n), accounts, balance, start_ns, end_ns
FROM final
JOIN owned ON owned.o = n
WHERE reads = 'totals_reads'

--@ owner_reads
SELECT
    writer_of(asking.i) AS writer, session_of(asking.i) AS session, seq_of(asking.i) AS seq,
    owner_id(o) AS owner, account_id(m.a) AS aggregate, m.v AS version,
    m.state, m.state_digest AS digest, start_ns, end_ns
FROM (
    SELECT i, o, start_ns, end_ns, unnest(range(o * 10, o * 10 + 10)) AS a
    FROM calls
    WHERE reads = 'owner_reads' AND rested(i) >= 0
) asking
JOIN made m ON m.e = event_of(asking.a, 50)

--@ snapshots
SELECT
    $run || '.w1' AS writer, sample, account_id(m.a) AS aggregate, m.v AS version,
    event_id(m.e) AS event_id, recorded_ms(m.e) AS recorded_at_ms, taken_ms AS taken_at_ms,
    CASE WHEN projected_ms(m.e) <= taken_ms THEN projected_ms(m.e) END AS projected_at_ms,
    projected_ms(m.e) <= taken_ms AS has_line, coalesce(max(now.v), 0) AS account_version
FROM sampled
JOIN made m ON m.e = sampled.e
LEFT JOIN made now ON now.a = m.a AND projected_ms(now.e) <= taken_ms
GROUP BY ALL

--@ events
SELECT
    account_id(a) AS aggregate, v AS version, event_id(e) AS event_id, 'AROA1' AS principal,
    key_of(command_of(e) * 5) AS key, effect, effect_digest, state_digest, line_digest,
    owner_id(a // 10) AS owner, amount_of(a, v) AS amount, status_of(a, v) AS status,
    recorded_ms(e) AS recorded_at_ms, projected_ms(e) AS projected_at_ms, FALSE AS in_outbox
FROM made

--@ heads
SELECT account_id(m.a) AS aggregate, m.v AS version, m.state, m.state_digest AS digest
FROM newest n
JOIN made m ON m.e = event_of(n.a, n.v)

--@ commands
SELECT
    'AROA1' AS principal, key_of(command_of(e) * 5) AS key,
    account_id(a) AS aggregate, v AS version, event_id(e) AS event_id
FROM made

--@ accounts
SELECT
    account_id(m.a) AS aggregate, m.v AS version, m.state, m.state_digest AS digest,
    balance_of(m.a, m.v) AS balance, projected_ms(m.e) AS projected_at_ms
FROM newest n
JOIN made m ON m.e = event_of(n.a, n.v)

--@ lines
SELECT account_id(a) AS aggregate, v AS version, line, line_digest AS digest FROM made

--@ totals
SELECT owner_id(o) AS owner, accounts, balance FROM owned

--@ deliveries
FROM outcomes

--@ healed
SELECT
    id_of('request ' || (e + 1000) // 5) AS request_id, id_of('message ' || e + 1000) AS message_id,
    account_id(a) AS aggregate, v AS version
FROM delivered
WHERE is_healed

--@ invocations
SELECT request_id, message_id, at_ms - 15 AS at_ms, TRUE AS ended FROM outcomes

--@ dead_letters
SELECT
    id_of('poisoned ' || n) AS message_id, NULL AS event_id, NULL AS aggregate, NULL AS version,
    6 AS receive_count
FROM range(5) poison (n)

--@ planned_faults
SELECT * FROM (VALUES ('poison', 5), ('throttled', 1)) planned (fault, times)

--@ faults
SELECT
    'poison' AS fault, 'f' || n AS id, id_of('poisoned ' || n) AS message_id, NULL AS event_id,
    NULL AS aggregate, start_ns(n * 1000) AS start_ns, start_ns(n * 1000 + 60000) AS end_ns,
    1 AS fired
FROM range(5) poison (n)
UNION ALL
SELECT 'throttled', 'f5', NULL, NULL, NULL, start_ns($ops // 4), start_ns($ops // 2), 1

--@ settings
SELECT * FROM (
    VALUES
        ('convergence_bound_ms', 150000), ('lag_bound_ms', 30000), ('recovery_ms', 0),
        ('most_receives', 6)
) bounds (name, value)
