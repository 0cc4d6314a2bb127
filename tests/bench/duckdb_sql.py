"""The same result by hand-written SQL on DuckDB, as well as somebody who knows DuckDB would write it."""

from datetime import timedelta
from pathlib import Path

from tasks.policy.models import Policy
from tests.bench.orders import AS_OF, MONTH_BEFORE

SQL = """
COPY (
WITH facts AS (
  -- one pass over the orders; sums over CASE are faster in DuckDB than FILTER
  SELECT one_id,
         max(CASE WHEN paid_fen > 0 AND paid_on > $rfm_start THEN paid_on END) AS last_on,
         count(CASE WHEN paid_fen > 0 AND paid_on > $rfm_start THEN 1 END) AS frequency,
         sum(CASE WHEN paid_on > $rfm_start THEN paid_fen ELSE 0 END)::BIGINT AS monetary_fen,
         sum(CASE WHEN paid_on > $tier_start AND paid_on <= $tier_end THEN paid_fen ELSE 0 END)::BIGINT AS spend_fen
  FROM read_parquet($orders) GROUP BY one_id
), ranked AS (
  SELECT one_id, $as_of - last_on AS recency_days, frequency, monetary_fen,
         1 + ($levels * (rank() OVER (ORDER BY last_on) - 1)) // count(*) OVER () AS r_score,
         1 + ($levels * (rank() OVER (ORDER BY frequency) - 1)) // count(*) OVER () AS f_score,
         1 + ($levels * (rank() OVER (ORDER BY monetary_fen) - 1)) // count(*) OVER () AS m_score
  FROM facts WHERE frequency > 0
), changes AS (
  -- what starts to count in the month, and what falls out of the window
  SELECT one_id, paid_on + $maturity AS day, paid_fen AS change_fen, paid_fen > 0 AS is_new
  FROM read_parquet($orders) WHERE paid_on > $month_start AND paid_on <= $tier_end
  UNION ALL
  SELECT one_id, paid_on + $maturity + $window AS day, -paid_fen, FALSE
  FROM read_parquet($orders) WHERE paid_on > $month_start - $window AND paid_on <= $tier_end - $window
), days AS (
  SELECT one_id, day, sum(change_fen) AS change_fen, bool_or(is_new) AS is_new FROM changes GROUP BY one_id, day
), spends AS (
  SELECT one_id, day, is_new, facts.spend_fen - coalesce(sum(change_fen) OVER (
           PARTITION BY one_id ORDER BY day ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING), 0) AS spend_fen
  FROM days JOIN facts USING (one_id)
), levels AS (
  SELECT one_id, day, (spend_fen >= $up1)::INT + (spend_fen >= $up2)::INT + (spend_fen >= $up3)::INT AS level
  FROM spends WHERE is_new AND day < $as_of AND spend_fen >= $up1
), risen AS (
  SELECT one_id, max(level) AS level, min_by(day, (-level, day)) AS since FROM levels GROUP BY one_id
), tiers AS (
  SELECT one_id, facts.spend_fen,
         (facts.spend_fen >= $up1)::INT + (facts.spend_fen >= $up2)::INT + (facts.spend_fen >= $up3)::INT AS at_end,
         greatest(at_end, coalesce(risen.level, 0)) AS level,
         CASE WHEN at_end > coalesce(risen.level, 0) THEN $as_of ELSE risen.since END AS since
  FROM facts LEFT JOIN risen USING (one_id)
)
SELECT one_id, recency_days, coalesce(frequency, 0)::BIGINT AS frequency, coalesce(monetary_fen, 0) AS monetary_fen,
       coalesce(r_score, 0)::BIGINT AS r_score, coalesce(f_score, 0)::BIGINT AS f_score,
       coalesce(m_score, 0)::BIGINT AS m_score,
       CASE level WHEN 0 THEN $code0 WHEN 1 THEN $code1 WHEN 2 THEN $code2 ELSE $code3 END AS tier,
       level::BIGINT AS tier_level, CASE WHEN level > 0 THEN 'upgrade' ELSE 'base' END AS tier_cause,
       since AS tier_since, last_day(since + INTERVAL 1 MONTH) AS tier_valid_until, spend_fen AS tier_spend_fen,
       CASE WHEN level < 3
            THEN greatest(CASE level WHEN 0 THEN $up1 WHEN 1 THEN $up2 ELSE $up3 END - spend_fen, 0)
       END::BIGINT AS tier_gap_fen
FROM tiers LEFT JOIN ranked USING (one_id)
ORDER BY one_id
) TO '{result}' (FORMAT parquet, COMPRESSION zstd)
"""


def run(orders: Path, result: Path, policy: Policy) -> None:
    """Write the result through one statement, on two threads."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SET threads = 2")
        connection.execute(SQL.replace("{result}", str(result)), _parameters(orders, policy))


def _parameters(orders: Path, policy: Policy) -> dict[str, object]:
    """Every number of the policy that the statement needs; four tiers, as in the default policy."""
    maturity, window = policy.tiers.maturity_days, policy.tiers.qualify_window_days
    tiers = policy.tiers.tiers
    return {
        "orders": str(orders), "as_of": AS_OF, "levels": policy.rfm.levels, "maturity": maturity, "window": window,
        "rfm_start": AS_OF - timedelta(policy.rfm.window_days),
        "tier_start": AS_OF - timedelta(maturity + window),
        "tier_end": AS_OF - timedelta(maturity),
        "month_start": MONTH_BEFORE - timedelta(maturity),
        **{f"code{level}": tier.code for level, tier in enumerate(tiers)},
        **{f"up{level}": tier.up_fen for level, tier in enumerate(tiers) if level},
    }  # fmt: skip
