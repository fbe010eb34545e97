#pragma once

#include <string>

namespace tidemill::deploy {

// What others are told who holds something: "pid=17 host=a".
std::string HolderText();

// "a-17": unique among the processes that are alive.
std::string UniqueProcessName();

}  // namespace tidemill::deploy
