# The quick tests first, so that a mistake shows early: ctest starts the tests with the highest cost
# first, and the costs set here count more than the times that it remembers.
get_property(names DIRECTORY PROPERTY TESTS)
foreach(name IN LISTS names)
  get_test_property(${name} LABELS labels)
  set(cost 10)
  set(rank 600)
  foreach(label house unit cli leak model faults)
    if(label IN_LIST labels)
      set(cost ${rank})
      break()
    endif()
    math(EXPR rank "${rank} - 100")
  endforeach()
  set_tests_properties(${name} PROPERTIES COST ${cost})
endforeach()
# Six minutes in its long form: if it came last, the other processors would wait for it.
set_tests_properties(hostile.limits PROPERTIES COST 350)
