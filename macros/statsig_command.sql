{% macro statsig_command(command, options) %}
  {%- set words = ['dbt-statsig', command, '--target', target.name] -%}
  {%- for option, given in options.items() -%}
    {%- if given is sameas true -%}
      {%- do words.append(option) -%}
    {%- elif given is string -%}
      {%- do words.extend([option, '"' ~ given ~ '"']) -%}
    {%- elif given -%}
      {%- for value in given -%}
        {%- do words.extend([option, '"' ~ value ~ '"']) -%}
      {%- endfor -%}
    {%- endif -%}
  {%- endfor -%}
  {{- return(
      'dbt-statsig is not active inside this dbt: dbt 2 runs no Python, and dbt 1 needs dbt-statsig installed beside it.'
      ~ ' Outside dbt it works with every version; after `dbt compile --target ' ~ target.name ~ '` run: '
      ~ words | join(' ')
  ) -}}
{% endmacro %}
