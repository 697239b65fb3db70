#pragma once

// Stands in front of the runtime's umbrella header, which generated code includes: only what a
// lexer and a parser need. The full one has a header that clang refuses, and takes longer to
// compile.

#include "antlr4-common.h"

#include "ANTLRErrorListener.h"
#include "ANTLRInputStream.h"
#include "CommonToken.h"
#include "CommonTokenStream.h"
#include "DefaultErrorStrategy.h"
#include "Exceptions.h"
#include "FailedPredicateException.h"
#include "InputMismatchException.h"
#include "Lexer.h"
#include "NoViableAltException.h"
#include "Parser.h"
#include "ParserRuleContext.h"
#include "RecognitionException.h"
#include "Vocabulary.h"
#include "atn/ATN.h"
#include "atn/ATNDeserializer.h"
#include "atn/LexerATNSimulator.h"
#include "atn/ParserATNSimulator.h"
#include "atn/PredictionContext.h"
#include "atn/PredictionMode.h"
#include "dfa/DFA.h"
#include "misc/IntervalSet.h"
#include "support/CPPUtils.h"
#include "support/StringUtils.h"
#include "tree/TerminalNode.h"
