{% macro statsig_names(node, block, from) %}
  {#- Groups that have several names, read by themselves: names beside millions of units cost far more. -#}
  {%- set text = dbt_statsig.statsig_text_type() -%}
  {%- set columns = {} -%}
  {%- for key in ['experiment_id_column', 'group_id_column', 'group_name_column'] -%}
    {%- do columns.update({key: 'cast(' ~ dbt_statsig.statsig_column(node, block[key]) ~ ' as ' ~ text ~ ')'}) -%}
  {%- endfor -%}
  {%- set sql -%}
from (
    select {{ columns.experiment_id_column }} as statsig_experiment, {{ columns.group_id_column }} as statsig_group,
      min({{ columns.group_name_column }}) as statsig_name_1, max({{ columns.group_name_column }}) as statsig_name_2,
      count(*) as statsig_n
    {{ from }}
    group by {{ columns.experiment_id_column }}, {{ columns.group_id_column }}
  ) names
  where statsig_name_1 <> statsig_name_2
  {%- endset -%}
  {{- return(dbt_statsig.statsig_row(
      'group_names_stable', block, 'The group has several names: Statsig shows one of them.', '1', sql,
      {
          'experiment': 'statsig_experiment', 'group_id': 'statsig_group', 'total': 'statsig_n',
          'column_name': dbt_statsig.statsig_literal(block.group_name_column),
      },
  )) -}}
{% endmacro %}
