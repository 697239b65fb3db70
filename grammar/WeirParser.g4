// Syntax of Weir's SQL: the whole dialect of ksqlDB and Weir's additions to it. Nothing but syntax:
// the meaning of a statement is the planner's matter, and what it lacks is still parsed here.
//
// Nesting is bounded before this grammar runs (CheckNesting, parser/antlr_front.cc); a rule that
// could recurse without a bracket, CASE, NOT or sign must not be added without counting it there.
parser grammar WeirParser;

options { tokenVocab = WeirLexer; }

import WeirNonReserved;

// ---- entries ------------------------------------------------------------------------------------

singleStatement: statement ';'? EOF;
singleExpression: expression EOF;
singleType: type EOF;

statement
    : plainStatement                                                               # plain
    | 'EXPLAIN' explainMode? (plainStatement | pipeline)                           # explainText
    | 'EXPLAIN' explainMode? identifier                                            # explainQuery
    | pipeline                                                                     # pipelineAlone
    ;

explainMode: 'VERBOSE' | 'LOGICAL' | 'OPTIMIZED' | 'PHYSICAL' | 'ANALYZE';

pipeline
    : 'BEGIN' ('OR' 'REPLACE')? 'PIPELINE' ifNotExists? identifier ';'
      (plainStatement ';')* 'END' 'PIPELINE' identifier?
    ;

// ---- statements ---------------------------------------------------------------------------------

plainStatement
    : query                                                                        # select
    | 'CREATE' orReplace? 'SOURCE'? sourceKind ifNotExists? identifier
      columnDefinitions? withProperties? ('AS' query)?                             # createSource
    | 'CREATE' 'TYPE' ifNotExists? identifier 'AS' type                            # createType
    | 'CREATE' connectorKind 'CONNECTOR' ifNotExists? identifier withProperties    # createConnector
    | 'INSERT' 'INTO' identifier withProperties? query                             # insertInto
    | 'INSERT' 'INTO' identifier identifierList? 'VALUES' valueRow (',' valueRow)* # insertValues
    | 'DELETE' 'FROM' identifier ('WHERE' condition=expression)?                   # deleteFrom
    | 'DROP' sourceKind ifExists? identifier ('DELETE' 'TOPIC')?                   # dropSource
    | 'DROP' 'TYPE' ifExists? identifier                                           # dropType
    | 'DROP' 'CONNECTOR' ifExists? identifier                                      # dropConnector
    | 'DROP' 'PIPELINE' ifExists? identifier                                       # dropPipeline
    | 'ALTER' sourceKind identifier addedColumn (',' addedColumn)*                 # alterSource
    | 'ALTER' 'SYSTEM' STRING '=' STRING                                           # alterSystem
    | ('SHOW' | 'LIST') showable                                                   # show
    | 'SHOW' 'CREATE' (object=createdObject)? identifier                           # showCreate
    | 'DESCRIBE' what=('STREAMS' | 'TABLES') 'EXTENDED'?                           # describeAll
    | 'DESCRIBE' what=('FUNCTION' | 'CONNECTOR' | 'QUERY') identifier              # describeOther
    | 'DESCRIBE' 'EXTENDED'? identifier 'EXTENDED'?                                # describeSource
    | 'PRINT' topicName ('FROM' 'BEGINNING')?
      (('INTERVAL' | 'SAMPLE') interval=INTEGER_NUMBER)?
      ('LIMIT' limit=INTEGER_NUMBER)?                                              # print
    | action=('TERMINATE' | 'PAUSE' | 'RESUME') ('ALL' | identifier)               # controlQuery
    | 'SET' STRING '=' STRING                                                      # setProperty
    | 'UNSET' STRING                                                               # unsetProperty
    | 'DEFINE' identifier '=' STRING                                               # defineVariable
    | 'UNDEFINE' identifier                                                        # undefineVariable
    | 'RUN' 'SCRIPT' STRING                                                        # runScript
    | 'ASSERT' notExists? 'TOPIC' topicName withProperties? timeout?               # assertTopic
    | 'ASSERT' notExists? 'SCHEMA' ('SUBJECT' subject=topicName)?
      ('ID' id=INTEGER_NUMBER)? timeout?                                           # assertSchema
    | 'ASSERT' 'VALUES' identifier identifierList? 'VALUES' valueRow               # assertValues
    | 'ASSERT' 'NULL' 'VALUES' identifier identifierList? 'KEY' valueRow           # assertNullValues
    | 'ASSERT' sourceKind identifier columnDefinitions? withProperties?            # assertSource
    ;

sourceKind: 'STREAM' | 'TABLE';
connectorKind: 'SOURCE' | 'SINK';
orReplace: 'OR' 'REPLACE';
ifNotExists: 'IF' 'NOT' 'EXISTS';
ifExists: 'IF' 'EXISTS';
notExists: 'NOT' 'EXISTS';
timeout: 'TIMEOUT' duration;
createdObject: sourceKind | 'TYPE' | 'QUERY' | 'PIPELINE';

showable
    : 'ALL'? 'TOPICS' 'EXTENDED'?
    | ('STREAMS' | 'TABLES' | 'QUERIES') 'EXTENDED'?
    | 'FUNCTIONS'
    | 'TYPES'
    | 'VARIABLES'
    | 'PROPERTIES'
    | ('SOURCE' | 'SINK')? 'CONNECTORS'
    | 'CONNECTOR' 'PLUGINS'
    | 'PIPELINES'
    | 'METRICS' 'EXTENDED'?
    | 'SCHEMAS'
    ;

// A topic's name may be written bare, with its dots and hyphens.
topicName: STRING | topicPart (('.' | '-') topicPart)*;
topicPart: identifier | INTEGER_NUMBER | DECIMAL_NUMBER;

columnDefinitions: '(' (columnDefinition (',' columnDefinition)*)? ')';
columnDefinition: identifier type columnRole?;
columnRole: 'PRIMARY'? 'KEY' | 'HEADERS' | 'HEADER' '(' STRING ')';
addedColumn: 'ADD' 'COLUMN'? identifier type;

withProperties: 'WITH' '(' (property (',' property)*)? ')';
// CONNECTOR and NULL are reserved words and properties too; properties in groups have dots.
property: propertyName '=' propertyValue;
propertyName: STRING | propertyPart ('.' propertyPart)*;
propertyPart: identifier | word=('CONNECTOR' | 'NULL');
propertyValue: sign=('-' | '+')? number | literal;

identifierList: '(' identifier (',' identifier)* ')';
valueRow: '(' (expression (',' expression)*)? ')';

// ---- queries ------------------------------------------------------------------------------------

query: commonTables? setPart (setOperator setPart)* queryTail;
// A query inside an expression: what begins with a bracket is an expression there.
innerQuery: commonTables? selectPart (setOperator setPart)* queryTail;

commonTables: 'WITH' commonTable (',' commonTable)*;
// INTERSECT binds before the others: the transform knows.
setPart: selectPart | '(' query ')';
setOperator: op=('UNION' | 'INTERSECT' | 'EXCEPT') quantifier=('ALL' | 'DISTINCT')?;
queryTail
    : ('ORDER' 'BY' orderItem (',' orderItem)*)?
      emit?
      ('LIMIT' limit=INTEGER_NUMBER)?
      ('OFFSET' offset=INTEGER_NUMBER)?
    ;

commonTable: identifier 'AS' '(' query ')';
emit: 'EMIT' ('CHANGES' | 'FINAL');
orderItem: expression direction=('ASC' | 'DESC')? ('NULLS' nulls=('FIRST' | 'LAST'))?;

selectPart
    : 'SELECT' 'DISTINCT'? selectItem (',' selectItem)*
      ('FROM' relation)?
      ('WINDOW' window)?
      ('WHERE' where=expression)?
      groupBy?
      partitionBy?
      ('HAVING' having=expression)?
    ;

selectItem
    : '*' starWithout? starReplace?                  # star
    | identifier '.' '*' starWithout? starReplace?   # qualifiedStar
    | expression ('->' '*' | 'AS'? identifier)?   # selectExpression
    ;

starWithout: ('EXCEPT' | 'EXCLUDE') identifierList;
starReplace: 'REPLACE' '(' replacement (',' replacement)* ')';
replacement: expression 'AS' identifier;

groupBy: 'GROUP' 'BY' expressionList;
partitionBy: 'PARTITION' 'BY' expressionList;

// One pair of brackets around the whole list is allowed.
expressionList
    : expression (',' expression)*
    | '(' expression (',' expression)+ ')'
    | '(' ')'
    ;

relation: joinedRelation (',' joinedRelation)*;
joinedRelation: aliasedRelation joined*;
joined
    : joinType? 'JOIN' aliasedRelation within? 'ON' expression      # joinOn
    | joinType? 'JOIN' aliasedRelation within? 'USING' identifierList   # joinUsing
    | 'CROSS' 'JOIN' aliasedRelation                                # joinCross
    | 'NATURAL' joinType? 'JOIN' aliasedRelation                    # joinNatural
    ;
joinType: 'INNER' | ('LEFT' | 'RIGHT' | 'FULL') 'OUTER'?;
within: 'WITHIN' (duration | '(' before=duration ',' after=duration ')') gracePeriod?;
gracePeriod: 'GRACE' 'PERIOD' duration;

aliasedRelation
    : identifier ('AS'? alias=identifier)? readFrom?   # tableRelation
    | '(' query ')' ('AS'? alias=identifier)?          # subqueryRelation
    | '(' relation ')'                                 # nestedRelation
    ;

readFrom
    : 'FROM' 'BEGINNING'
    | 'FROM' 'LATEST'
    | 'FROM' 'TIMESTAMP' (STRING | INTEGER_NUMBER)
    | 'FROM' 'OFFSETS' '(' partitionOffset (',' partitionOffset)* ')'
    ;
partitionOffset: partition=INTEGER_NUMBER ':=' offset=INTEGER_NUMBER;

window
    : identifier? 'TUMBLING' '(' 'SIZE' size=duration windowKeep ')'                     # tumbling
    | identifier? 'HOPPING' '(' 'SIZE' size=duration ',' 'ADVANCE' 'BY' advance=duration
      windowKeep ')'                                                                     # hopping
    | identifier? 'SESSION' '(' gap=duration windowKeep ')'                              # session
    | identifier? 'SLIDING' '(' 'SIZE' size=duration windowKeep ')'                      # sliding
    ;
windowKeep: (',' 'RETENTION' retention=duration)? (',' gracePeriod)?;

duration: INTEGER_NUMBER durationUnit;
durationUnit
    : 'DAY' | 'HOUR' | 'MINUTE' | 'SECOND' | 'MILLISECOND'
    | 'DAYS' | 'HOURS' | 'MINUTES' | 'SECONDS' | 'MILLISECONDS'
    ;

// ---- expressions --------------------------------------------------------------------------------
// Left-recursive rules are loops in the generated parser: a long chain of operators costs no stack.

expression
    : predicate                                # predicateAlone
    | 'NOT' expression                         # not
    | left=expression 'AND' right=expression   # and
    | left=expression 'OR' right=expression    # or
    ;

// One predicate at most: a = b = c is no expression.
predicate: value predicateTail?;
predicateTail
    : op=('=' | NEQ | '<' | '<=' | '>' | '>=') right=value               # comparison
    | op=('=' | NEQ | '<' | '<=' | '>' | '>=')
      quantifier=('ALL' | 'ANY' | 'SOME') '(' innerQuery ')'             # quantified
    | 'NOT'? 'BETWEEN' low=value 'AND' high=value                        # between
    | 'NOT'? 'IN' '(' expression (',' expression)* ')'                   # inList
    | 'NOT'? 'IN' '(' innerQuery ')'                                     # inQuery
    | 'NOT'? 'LIKE' pattern=value ('ESCAPE' STRING)?                     # like
    | 'IS' 'NOT'? 'NULL'                                                 # isNull
    | 'IS' 'NOT'? 'DISTINCT' 'FROM' right=value                          # distinctFrom
    ;

value
    : primary                                          # primaryAlone
    | value 'AT' 'TIME' 'ZONE' STRING                  # atTimeZone
    | op=('+' | '-') value                             # sign
    | left=value op=('*' | '/' | '%') right=value      # multiplicative
    | left=value op=('+' | '-') right=value            # additive
    | left=value '||' right=value                      # concat
    ;

primary
    : literal                                                                        # literalValue
    | number                                                                         # numberValue
    | typeName=identifier STRING                                                     # typedLiteral
    | 'CASE' whenClause+ ('ELSE' otherwise=expression)? 'END'                        # searchedCase
    | 'CASE' subject=value whenClause+ ('ELSE' otherwise=expression)? 'END'          # simpleCase
    | 'CAST' '(' expression 'AS' type ')'                                            # cast
    | 'ARRAY' '[' (expression (',' expression)*)? ']'                                # arrayLiteral
    | 'MAP' '(' (mapEntry (',' mapEntry)*)? ')'                                      # mapLiteral
    | 'STRUCT' '(' (structEntry (',' structEntry)*)? ')'                             # structLiteral
    | identifier '(' '*' ')' filter? over?                                           # starCall
    | identifier '(' ('DISTINCT'? argument (',' argument)*)? ')' filter? over?       # functionCall
    | 'EXISTS' '(' innerQuery ')'                                                    # exists
    | '(' innerQuery ')'                                                             # scalarQuery
    | base=primary '[' index=value ']'                                               # subscript
    | identifier                                                                     # column
    | identifier '.' identifier                                                      # qualifiedColumn
    | base=primary '->' identifier                                                   # structField
    | '(' expression ')'                                                             # bracketed
    ;

whenClause: 'WHEN' when=expression 'THEN' then=expression;
mapEntry: expression ':=' expression;
structEntry: identifier ':=' expression;

argument
    : identifier '=>' expression                                # lambda
    | '(' identifier (',' identifier)* ')' '=>' expression      # lambda
    | reservedUnit                                              # unitArgument
    | expression                                                # plainArgument
    ;
// The singular units are free words and come as columns.
reservedUnit: 'DAYS' | 'HOURS' | 'MINUTES' | 'SECONDS' | 'MILLISECOND' | 'MILLISECONDS';

filter: 'FILTER' '(' 'WHERE' expression ')';

over: 'OVER' '(' ('PARTITION' 'BY' expression (',' expression)*)?
      ('ORDER' 'BY' orderItem (',' orderItem)*)? frame? ')';
frame: ('ROWS' | 'RANGE') (frameBound | 'BETWEEN' frameBound 'AND' frameBound);
frameBound
    : 'UNBOUNDED' ('PRECEDING' | 'FOLLOWING')
    | 'CURRENT' 'ROW'
    | (INTEGER_NUMBER | duration) ('PRECEDING' | 'FOLLOWING')
    ;

literal
    : 'NULL'
    | 'TRUE'
    | 'FALSE'
    | STRING
    ;

number: INTEGER_NUMBER | DECIMAL_NUMBER | FLOAT;

// ---- types and names ----------------------------------------------------------------------------

type
    : 'ARRAY' '<' type '>'                                                           # arrayType
    | 'MAP' '<' key=type ',' element=type '>'                                        # mapType
    | 'STRUCT' ('<' (fieldType (',' fieldType)*)? '>' | NEQ)                         # structType
    | typeWord ('(' typeParameter (',' typeParameter)* ')')?                         # namedType
    ;
typeParameter: INTEGER_NUMBER | 'STRING';
fieldType: identifier type;
typeWord: identifier | 'DECIMAL';

identifier
    : IDENTIFIER
    | DIGIT_IDENTIFIER
    | QUOTED_IDENTIFIER
    | BACKQUOTED_IDENTIFIER
    | nonReserved
    ;
