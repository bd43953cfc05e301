{% macro statsig_unit_name(block, options) %}
  {#- The name of the unit ID whose number is in a row. -#}
  {%- set cases = [] -%}
  {%- for name in (block.get('id_type_mapping') or {}) if options.get('unit_id') in (none, name) -%}
    {%- do cases.append('when ' ~ loop.index0 ~ ' then ' ~ dbt_statsig.statsig_literal(name)) -%}
  {%- endfor -%}
  {{- return('case statsig_unit ' ~ cases | join(' ') ~ ' end') -}}
{% endmacro %}
