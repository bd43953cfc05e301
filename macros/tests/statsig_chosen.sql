{% macro statsig_chosen(node, test, checks, given, options) %}
  {#- The blocks that a test is about, with what its arguments give; fails with what is missing. -#}
  {%- set where = test ~ ' on ' ~ (node.name if node else 'a relation that is not a node of this project') ~ ': ' -%}
  {%- set read = dbt_statsig.statsig_blocks(node) if node else {'blocks': [], 'declared': {}} -%}
  {%- set arguments = {} -%}
  {%- for key, value in given.items() if value is not none -%}
    {%- do arguments.update({key: value}) -%}
  {%- endfor -%}
  {%- if arguments.get('id_type_mapping') is string -%}
    {%- do arguments.update({'id_type_mapping': {arguments.id_type_mapping: arguments.id_type_mapping}}) -%}
  {%- endif -%}
  {%- set kinds = dbt_statsig.statsig_check_kinds() -%}
  {%- set fit, chosen = [], [] -%}
  {%- for check in checks -%}{%- do fit.extend(kinds[check].kinds) -%}{%- endfor -%}
  {%- set source, kind = options.get('source'), options.get('kind') -%}
  {%- for block in read.blocks
      if (source is none or block.get('name') == source) and block.kind in ([kind] if kind else fit) -%}
    {%- do block.update(arguments) -%}
    {%- do chosen.append(block) -%}
  {%- endfor -%}
  {%- if not chosen and source is none and arguments and (kind or not read.declared) -%}
    {%- set assumed = kind or (
        'assignment_source' if arguments.get('group_id_column') else
        'entity_property_source' if not arguments.get('timestamp_column') else 'metric_source'
    ) -%}
    {%- do chosen.append(dict(arguments, kind=assumed if assumed in fit else fit[0])) -%}
  {%- endif -%}
  {%- if not chosen -%}
    {%- if source is not none -%}
      {%- do exceptions.raise_compiler_error(
          where ~ 'no block named "' ~ source ~ '" that this test is about. Its blocks: '
          ~ (read.blocks | map(attribute='name') | join(', ') or 'none') ~ '.'
      ) -%}
    {%- elif not read.declared -%}
      {%- do exceptions.raise_compiler_error(
          where ~ 'there is no block under config.meta.statsig. Add one, or name the columns as arguments of the test,'
          ~ ' such as id_type_mapping: {userID: user_id}.'
      ) -%}
    {%- elif read.blocks -%}
      {%- do exceptions.raise_compiler_error(
          where ~ 'it is about ' ~ fit | unique | join(', ') ~ ', and this node has ' ~ read.blocks
          | map(attribute='kind') | unique | join(', ') ~ '. Remove the test, or name the columns as arguments.'
      ) -%}
    {%- endif -%}
  {%- endif -%}
  {%- for block in chosen -%}
    {%- set whole = ['id_type_mapping'] if block.kind == 'entity_property_source' else
        ['id_type_mapping', 'timestamp_column'] -%}
    {%- set whole = whole + (kinds['sample_ratio'].needs[1:] if block.kind == 'assignment_source' else []) -%}
    {%- for key in (kinds[checks[0]].needs if checks | length == 1 else whole) if not block.get(key) -%}
      {%- do exceptions.raise_compiler_error(
          where ~ block.kind ~ (' "' ~ block.name ~ '"' if block.get('name') else '') ~ ' has no ' ~ key
          ~ '. Add it to the block, or give it as an argument of the test. (The test does not read the defaults in'
          ~ ' dbt_statsig.yml.)'
      ) -%}
    {%- endfor -%}
  {%- endfor -%}
  {{- return(chosen) -}}
{% endmacro %}
