#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "common/base/own_thread_executor.h"
#include "common/fs/file_system.h"
#include "connectors/source.h"
#include "tests/testing/scratch_dir.h"
