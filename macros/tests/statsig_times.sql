{% macro statsig_times(node, block, read, sums, wanted, options) %}
  {#- Times that cannot be right, and a table that is too old. -#}
  {%- set rows = [] -%}
  {%- set column = dbt_statsig.statsig_literal(block.timestamp_column) -%}
  {%- set as_day = (block.get('timestamp_as_day') ~ '') | lower -%}
  {%- set faults = [
      ('statsig_future', 1, 'Timestamps in the future. Statsig reads them as UTC: are they in local time?'),
      ('statsig_old', 1, 'Timestamps before the year 2000: 1970-01-01 stands for an empty or wrong number.'),
      ('statsig_no_time', 0, 'Rows without a timestamp: they are in no result.'),
  ] -%}
  {%- if as_day in ['true', '1', 'yes', 'on'] -%}
    {%- do faults.append(
        ('statsig_timed', 0, 'Timestamps with a time of day, which timestamp_as_day: true ignores.')
    ) -%}
  {%- endif -%}
  {%- for found, is_error, what in faults if 'timestamps_sane' in wanted -%}
    {%- do rows.append(dbt_statsig.statsig_row(
        'timestamps_sane', block, what, is_error, read ~ ' where ' ~ found ~ ' > 0',
        {
            'column_name': column, 'found': found, 'total': 'statsig_n', 'share': found ~ ' * 1.0 / nullif(statsig_n, 0)',
            'threshold': '0',
        },
    )) -%}
  {%- endfor -%}
  {%- if 'zones' in sums -%}
    {%- do rows.append(dbt_statsig.statsig_row(
        'timestamps_sane', block,
        'Timestamps with different offsets from UTC; found is how many minutes they differ. Convert them to UTC.', '0',
        read ~ ' where statsig_zones > 0', {'column_name': column, 'found': 'statsig_zones', 'threshold': '0'},
    )) -%}
  {%- endif -%}
  {%- if 'timestamps_sane' in wanted and as_day in ['', 'none'] and block.kind in ['metric_source', 'qualifying_event'] -%}
    {%- do rows.append(dbt_statsig.statsig_row(
        'timestamps_sane', block,
        'Every timestamp is midnight: rows of the day of exposure come before the exposure and are ignored.'
        ~ ' If these are days, declare timestamp_as_day: true.',
        '0', read ~ ' where statsig_timed = 0 and statsig_n >= ' ~ options.get('min_units', 100),
        {'column_name': column, 'found': 'statsig_n', 'total': 'statsig_n', 'share': '1'},
    )) -%}
  {%- endif -%}
  {%- if 'fresh_enough' in wanted -%}
    {%- set oldest = dbt_statsig.statsig_future(options, 0 - options.max_age_hours * 3600) -%}
    {%- set hours = '(' ~ dbt_statsig.statsig_future(options, 0) ~ ' - statsig_newest) / 3600.0' -%}
    {%- do rows.append(dbt_statsig.statsig_row(
        'fresh_enough', block, 'The newest row is older than it may be; found and threshold are hours.', '1',
        read ~ ' where statsig_newest < ' ~ oldest,
        {'column_name': column, 'found': hours, 'threshold': options.max_age_hours},
    )) -%}
  {%- endif -%}
  {{- return(rows) -}}
{% endmacro %}
