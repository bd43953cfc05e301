{% macro statsig_exposures(node, block, units, from, tag) %}
  {#- Exposures, summed up by unit and then by experiment and group; and for each experiment the unit ID that fits best:
      the one by which the fewest units are in several groups is the one that it was randomized by. -#}
  {%- set text = dbt_statsig.statsig_text_type() -%}
  {%- set number = dbt_statsig.statsig_number_type() -%}
  {%- set experiment = 'cast(' ~ dbt_statsig.statsig_column(node, block.experiment_id_column) ~ ' as ' ~ text ~ ')' -%}
  {%- set group = 'cast(' ~ dbt_statsig.statsig_column(node, block.group_id_column) ~ ' as ' ~ text ~ ')' -%}
  {%- set ctes, each = [], [] -%}
  {%- for unit in units -%}
    {%- set filled = unit.filled | replace(unit.text, 'cast(statsig_unit as ' ~ text ~ ')')
        | replace(unit.sql ~ ' is not null', 'statsig_unit is not null') -%}
    {%- set cte -%}
{{ tag }}_unit_{{ unit.number }} as (
  {#- An aggregate, so that no engine filters by it row by row, as often as it is asked for. #}
  select statsig_experiment, statsig_group, statsig_crossed, max(statsig_filled) as statsig_is_unit,
    cast(count(*) as {{ number }}) as statsig_units, cast(sum(statsig_rows) as {{ number }}) as statsig_n
  from (
    select
      per_unit.*,
      case when statsig_group_1 = statsig_group_2 then statsig_group_1 end as statsig_group,
      case when statsig_group_1 <> statsig_group_2 then 1 else 0 end as statsig_crossed,
      case when {{ filled }} then 1 else 0 end as statsig_filled
    from (
      select {{ experiment }} as statsig_experiment, {{ unit.sql }} as statsig_unit,
        min({{ group }}) as statsig_group_1, max({{ group }}) as statsig_group_2,
        count(*) as statsig_rows
      {{ from }}
      group by {{ experiment }}, {{ unit.sql }}
    ) per_unit
  ) marked
  group by statsig_experiment, statsig_group, statsig_crossed, statsig_filled
)
    {%- endset -%}
    {%- do ctes.append(cte) -%}
    {%- set one -%}
  select {{ unit.number }} as statsig_unit, statsig_experiment, sum(of_unit.statsig_units) as statsig_units,
    sum(of_unit.statsig_crossed * of_unit.statsig_units) as statsig_crossed
  from {{ tag }}_unit_{{ unit.number }} of_unit
  where statsig_is_unit = 1 and statsig_experiment is not null
  group by statsig_experiment
    {%- endset -%}
    {%- do each.append(one) -%}
  {%- endfor -%}
  {%- set best -%}
{{ tag }}_experiments as (
  select * from (
    select each_unit.*, row_number() over (
      partition by statsig_experiment order by statsig_crossed * 1.0 / statsig_units, statsig_units
    ) as statsig_rank
    from (
{{ each | join('\n  union all\n') }}
    ) each_unit
  ) ranked
  where statsig_rank = 1
)
  {%- endset -%}
  {%- do ctes.append(best) -%}
  {{- return(ctes) -}}
{% endmacro %}
