{% macro statsig_groups(block, tag, grouped, options) %}
  {#- What is wrong with units and groups of an experiment, but for the shares of the groups. -#}
  {%- set rows = [] -%}
  {%- set label = dbt_statsig.statsig_unit_name(block, options) -%}
  {%- if 'one_group_per_unit' in grouped -%}
    {#- Statsig's own limits: docs, "Monitor an experiment". -#}
    {%- set warn, error = (0.001, 0.01) if options.get('assigned_by') == 'statsig' else (0.01, 0.1) -%}
    {%- set share = 'statsig_crossed * 1.0 / nullif(statsig_units, 0)' -%}
    {%- do rows.append(dbt_statsig.statsig_row(
        'one_group_per_unit', block, 'Units in more than one group of the experiment: Statsig discards them.',
        'case when ' ~ share ~ ' > ' ~ error ~ ' then 1 else 0 end',
        'from ' ~ tag ~ '_experiments where statsig_units >= ' ~ options.min_units ~ ' and ' ~ share ~ ' >= ' ~ warn,
        {
            'experiment': 'statsig_experiment', 'unit_id': label, 'found': 'statsig_crossed', 'total': 'statsig_units',
            'share': share, 'threshold': 'case when ' ~ share ~ ' > ' ~ error ~ ' then ' ~ error ~ ' else ' ~ warn
            ~ ' end',
        },
    )) -%}
  {%- endif -%}
  {%- if 'no_duplicate_exposures' in grouped -%}
    {%- set from -%}
from (
    select statsig_experiment, sum(of_unit.statsig_n) as statsig_n,
      sum(of_unit.statsig_n) - sum(of_unit.statsig_units) as statsig_again
    from {{ tag }}_unit_0 of_unit
    where statsig_is_unit = 1
    group by statsig_experiment
  ) exposures
  where statsig_again > 0
    {%- endset -%}
    {%- do rows.append(dbt_statsig.statsig_row(
        'no_duplicate_exposures', block,
        'Rows of units that have an earlier row in the experiment: Statsig takes the first, and scans them all.',
        '0', from,
        {
            'experiment': 'statsig_experiment', 'found': 'statsig_again', 'total': 'statsig_n',
            'share': 'statsig_again * 1.0 / nullif(statsig_n, 0)', 'threshold': '0',
        },
    )) -%}
  {%- endif -%}
  {{- return(rows) -}}
{% endmacro %}
