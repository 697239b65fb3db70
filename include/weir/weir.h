#pragma once

// All that an embedding program needs.

#include "weir/batch.h"
#include "weir/engine.h"
#include "weir/metrics.h"
#include "weir/options.h"
#include "weir/reset.h"
#include "weir/status.h"
#include "weir/types.h"
#include "weir/version.h"
