# Runs last when `cpack` fills the package: what Debian wants compressed, the documents that every
# package has, and one time for all files, so that the same input gives the same bytes.
set(root $ENV{DESTDIR})
file(COPY ${CMAKE_CURRENT_LIST_DIR}/copyright ${CMAKE_CURRENT_LIST_DIR}/changelog
  DESTINATION ${root}/usr/share/doc/abgleich
  FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
file(GLOB_RECURSE pages ${root}/usr/share/man/*)
execute_process(COMMAND gzip --best --no-name --force ${pages} ${root}/usr/share/doc/abgleich/changelog
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND find ${root} -exec touch --no-dereference --date=@$ENV{SOURCE_DATE_EPOCH} {} +
  COMMAND_ERROR_IS_FATAL ANY)
