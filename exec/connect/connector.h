#pragma once

// Sources and sinks outside of topics. A new connector is one file and one line in connector.cc.

#include "exec/connect/topic.h"
#include "exec/formats/format.h"

namespace weir {

/// CONNECTOR='file'. Properties: PATH ('-' is the standard input, which cannot be read again after
/// a restart), VALUE_FORMAT (default by extension: .csv, .tsv, .txt are DELIMITED, others JSON, one
/// value a line), HEADER (DELIMITED: the first line names the fields, default true), NULL (a text
/// that stands for null), VALUE_DELIMITER, FOLLOW (default false: the end is where the file ends
/// when it is opened), PARTITIONS (default 1: the file's blocks are read by so many in parallel). A
/// record's offset is its line's byte position, in a compressed file that of its text; its time is
/// the file's last change, or when it is read if the file is followed or a stream.
Result<ConnectorSource> OpenFileSource(const ConnectorSpec& spec);
Result<std::vector<ColumnSchema>> InferFileColumns(ConnectorSpec& spec);

/// CONNECTOR='datagen'. Properties: SEED (default 1), ROWS (default: endless), RATE (rows a second;
/// default: as fast as they are taken), PARTITIONS (default 1), and 'COLUMN.<name>', a generator
/// for each column (ROWTIME too):
///   sequence(start, step)         start, start + step, …
///   uniform(low, high)            any value between, high excluded for DOUBLE and DECIMAL
///   normal(mean, deviation)       bell-shaped
///   choice(a, b, …)               one of these; a value may stand more than once
///   timestamp(start_ms, step_ms)  as sequence, for times
///   text(length)                  letters and digits
///   null(percent, generator)      null for so many of a hundred rows
/// A row is a function of seed and offset alone: the same in every run and whatever was read
/// before. Row k of partition p of n is row k * n + p of the sequence.
Result<ConnectorSource> OpenDatagenSource(const ConnectorSpec& spec);

/// A property's text, or `otherwise`.
std::string ConnectorText(const ConnectorSpec& spec, const char* name, std::string otherwise);
/// kInvalidProperty if the property is there and no integer of at least `least`.
Result<int64_t> ConnectorNumber(const ConnectorSpec& spec, const char* name, int64_t otherwise,
                                int64_t least);
bool ConnectorFlag(const ConnectorSpec& spec, const char* name, bool otherwise);

/// The format of one side as the WITH clause names it, and the side's columns.
FormatSpec ConnectorFormat(const ConnectorSpec& spec, bool is_key, std::string default_format);
std::vector<FormatColumn> ConnectorColumns(const ConnectorSpec& spec, bool is_key);

}  // namespace weir
