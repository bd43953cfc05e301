{#- Stands in for the loader that lands the payment provider's refunds: dbt reads them as a source, it does not build them. -#}
{% macro land_payments() %}
  {% if execute and flags.WHICH in ('build', 'run', 'seed') %}
    {% do run_query('create schema if not exists payments') %}
    {% do run_query("""
      create or replace table payments.refunds as
      select *
      from (values
        ('F001', timestamp '2026-03-03 12:38:13', date '2026-03-03', 'O00001', 'C0005', 2040),
        ('F002', timestamp '2026-03-18 09:56:51', date '2026-03-18', 'O00020', 'C0004', 3140),
        ('F003', timestamp '2026-03-16 12:07:53', date '2026-03-16', 'O00024', 'C0011', 3190),
        ('F004', timestamp '2026-03-26 17:17:02', date '2026-03-26', 'O00031', 'C0001', 1990),
        ('F005', timestamp '2026-03-28 22:45:35', date '2026-03-28', 'O00037', 'C0051', 2040),
        ('F006', timestamp '2026-03-30 10:57:48', date '2026-03-30', 'O00044', 'C0034', 1740),
        ('F007', timestamp '2026-04-02 14:07:46', date '2026-04-02', 'O00048', 'C0051', 4880)
      ) as landed (refund_id, refunded_at, refunded_on, order_id, customer_id, amount_cents)
    """) %}
  {% endif %}
{% endmacro %}
