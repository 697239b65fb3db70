// Tokens of Weir's SQL. Words are not listed here: every word is an IDENTIFIER, and the token
// source in parser/antlr_front.cc turns those found in keywords.txt (in any case) into that word's
// type.
lexer grammar WeirLexer;

options { tokenVocab = WeirKeywords; }

LPAREN: '(';
RPAREN: ')';
LBRACKET: '[';
RBRACKET: ']';
COMMA: ',';
DOT: '.';
SEMICOLON: ';';
STAR: '*';
SLASH: '/';
PERCENT: '%';
PLUS: '+';
MINUS: '-';
CONCAT: '||';
EQ: '=';
NEQ: '<>' | '!=';
LT: '<';
LE: '<=';
GT: '>';
GE: '>=';
ASSIGN: ':=';
ARROW: '->';
LAMBDA: '=>';

STRING: '\'' (~'\'' | '\'\'')* '\'';

FLOAT: DIGIT+ ('.' DIGIT*)? EXPONENT | '.' DIGIT+ EXPONENT;
DECIMAL_NUMBER: DIGIT+ '.' DIGIT* | '.' DIGIT+;
INTEGER_NUMBER: DIGIT+;

// Letters of any script; a name may begin with a digit where no number is longer.
IDENTIFIER: (LETTER | '_') (LETTER | MARK | '_' | '@')*;
DIGIT_IDENTIFIER: DIGIT+ (LETTER | '_' | '@') (LETTER | MARK | '_' | '@')*;
QUOTED_IDENTIFIER: '"' (~'"' | '""')* '"';
BACKQUOTED_IDENTIFIER: '`' (~'`' | '``')* '`';

LINE_COMMENT: '--' ~[\r\n]* -> channel(HIDDEN);
BLOCK_COMMENT: '/*' .*? '*/' -> channel(HIDDEN);
SPACE
    : [ \t\r\n\f\u000B\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000\uFEFF]+
      -> channel(HIDDEN)
    ;

// Whatever is left becomes a token, so that the parser words the error.
OTHER: .;

fragment DIGIT: [0-9];
fragment EXPONENT: [eE] [+-]? DIGIT+;
// XML's name characters, in ranges: the exact Unicode classes have hundreds and cost milliseconds at
// every start of the program. Blanks within the ranges are left out.
fragment LETTER
    : [A-Za-z]
    | [\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u167F\u1681-\u1FFF\u200C-\u200D]
    | [\u2070-\u218F\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFEFE\uFF00-\uFFFD]
    | [\u{10000}-\u{EFFFF}]
    ;
fragment MARK: [0-9\u00B7\u0300-\u036F\u203F-\u2040];
