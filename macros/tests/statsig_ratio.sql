{% macro statsig_ratio(block, tag, options) %}
  {#- Chi-square of the groups' sizes, without units in several groups, against the weights or equal shares. -#}
  {%- set number = dbt_statsig.statsig_number_type() -%}
  {%- set given = options.get('weights') -%}
  {%- set given = {} if given is none or given == 'equal' else given -%}
  {%- set for_all = given.values() | select('number') | list | length > 0 -%}
  {%- set cells = [] -%}
  {%- for unit in block.id_type_mapping if options.get('unit_id') in (none, unit) -%}
    {%- set cell -%}
    select of_group.statsig_experiment, of_group.statsig_group, of_group.statsig_units, cast(0 as {{ number }}) as statsig_weight
    from {{ tag }}_unit_{{ loop.index0 }} of_group
    join {{ tag }}_experiments experiments
      on experiments.statsig_experiment = of_group.statsig_experiment and experiments.statsig_unit = {{ loop.index0 }}
    where of_group.statsig_is_unit = 1 and of_group.statsig_group is not null
    {%- endset -%}
    {%- do cells.append(cell) -%}
  {%- endfor -%}
  {%- for experiment, groups in ({'': given} if for_all else given).items() -%}
    {%- for group, weight in groups.items() -%}
      {%- set cell -%}
    select {{ 'statsig_experiment' if for_all else dbt_statsig.statsig_literal(experiment) }} as statsig_experiment,
      {{ dbt_statsig.statsig_literal(group) }} as statsig_group, cast(0 as {{ number }}) as statsig_units,
      cast({{ weight }} as {{ number }}) as statsig_weight
    {%- if for_all %}
    from {{ tag }}_experiments
    {%- endif %}
      {%- endset -%}
      {%- do cells.append(cell) -%}
    {%- endfor -%}
  {%- endfor -%}
  {%- set ctes = [] -%}
  {%- set cte -%}
{{ tag }}_cells as (
  select statsig_experiment, statsig_group, sum(cells.statsig_units) as statsig_units,
    sum(cells.statsig_weight) as statsig_weight
  from (
{{ cells | join('\n    union all\n') }}
  ) cells
  group by statsig_experiment, statsig_group
),
{{ tag }}_expected as (
  select
    summed.*,
    case when statsig_weights > 0 then statsig_weight / nullif(statsig_weights, 0) else 1.0 / statsig_groups end as statsig_share
  from (
    select
      cells.*,
      sum(statsig_units) over (partition by statsig_experiment) as statsig_total,
      sum(statsig_weight) over (partition by statsig_experiment) as statsig_weights,
      cast(count(*) over (partition by statsig_experiment) as {{ number }}) as statsig_groups,
      sum(case when statsig_units = 0 or statsig_weight = 0 then 1 else 0 end)
        over (partition by statsig_experiment) as statsig_unmatched
    from {{ tag }}_cells cells
  ) summed
),
{{ tag }}_ratio as (
  select
    apart.*,
    sum(case when statsig_share > 0 then
      (statsig_units - statsig_total * statsig_share) * (statsig_units - statsig_total * statsig_share)
      / nullif(statsig_total * statsig_share, 0)
    else 0 end) over (partition by statsig_experiment) as statsig_chi,
    row_number() over (partition by statsig_experiment order by statsig_off desc, statsig_group) as statsig_rank
  from (
    select expected.*, abs(statsig_units * 1.0 / nullif(statsig_total, 0) - statsig_share) as statsig_off
    from {{ tag }}_expected expected
    where statsig_total > 0
  ) apart
)
  {%- endset -%}
  {%- do ctes.append(cte) -%}
  {%- set columns = {
      'experiment': 'statsig_experiment', 'group_id': 'statsig_group', 'found': 'statsig_units',
      'total': 'statsig_total', 'share': 'statsig_units * 1.0 / nullif(statsig_total, 0)', 'threshold': 'statsig_share',
  } -%}
  {%- set tested = 'statsig_total >= ' ~ options.min_units -%}
  {%- set matched = '(statsig_weights = 0 or statsig_unmatched = 0)' -%}
  {%- set warn, error = dbt_statsig.statsig_chi_limit('statsig_groups - 1', 0), dbt_statsig.statsig_chi_limit(
      'statsig_groups - 1', 1
  ) -%}
  {%- set alert = 'statsig_chi > ' ~ error ~ ' and statsig_off > 0.001' -%}
  {%- set alert = alert ~ ' and statsig_weights > 0' if options.get('equal_is_assumed') else alert -%}
  {%- set ratio = 'from ' ~ tag ~ '_ratio where ' -%}
  {%- set what = 'The sizes of the groups differ from their expected shares more than chance allows (sample ratio'
      ~ ' mismatch). The row is the group that is furthest off; threshold is its expected share.' -%}
  {%- set what = what ~ ' Without `weights`, equal shares are expected.' -%}
  {%- set rows = [
      dbt_statsig.statsig_row(
          'sample_ratio', block, what, 'case when ' ~ alert ~ ' then 1 else 0 end',
          ratio ~ 'statsig_rank = 1 and statsig_groups > 1 and ' ~ tested ~ ' and ' ~ matched ~ ' and statsig_chi > '
          ~ warn,
          dict(columns, chi_square='statsig_chi'),
      ),
      dbt_statsig.statsig_row(
          'sample_ratio', block, 'The experiment has only one group: there is nothing to compare it with.', '0',
          ratio ~ 'statsig_rank = 1 and statsig_groups = 1 and ' ~ tested, columns,
      ),
  ] -%}
  {%- if given -%}
    {%- do rows.extend([
        dbt_statsig.statsig_row(
            'sample_ratio', block, 'The group has a weight but no units. Is its ID in `weights` right?', '1',
            ratio ~ 'statsig_units = 0 and statsig_weight > 0 and ' ~ tested, columns,
        ),
        dbt_statsig.statsig_row(
            'sample_ratio', block, 'The group has units, but no weight in `weights`. Add it there.', '1',
            ratio ~ 'statsig_units > 0 and statsig_weights > 0 and statsig_weight = 0 and ' ~ tested, columns,
        ),
        dbt_statsig.statsig_row(
            'sample_ratio', block, 'No units of the experiment: its `weights` are not used. Is its ID right?', '0',
            'from ' ~ tag ~ '_expected where statsig_total = 0', {'experiment': 'statsig_experiment',
            'group_id': 'statsig_group'},
        ),
    ]) -%}
  {%- endif -%}
  {{- return({'ctes': ctes, 'rows': rows}) -}}
{% endmacro %}
