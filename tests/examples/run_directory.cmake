# Runs embed_directory on an empty directory; its second life must see the first.
file(REMOVE_RECURSE ${DIRECTORY})
execute_process(COMMAND ${PROGRAM} ${DIRECTORY} OUTPUT_VARIABLE out RESULT_VARIABLE code)
if(NOT code EQUAL 0 OR NOT out STREQUAL "life 1: 1 clicks\nlife 2: 2 clicks\n")
  message(FATAL_ERROR "exit ${code}: ${out}")
endif()
