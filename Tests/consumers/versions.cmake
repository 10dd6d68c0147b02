# Which versions will do for whom, in places where nothing but the version differs:
#
#   cmake -DFILE=.../tlsmemConfigVersion.cmake -DWORK=FOLDER -P Tests/consumers/versions.cmake
#
# As in a program's own file, 1...2 includes both ends and 1...<2 does not include the latter.
cmake_minimum_required(VERSION 3.19)

# answers(VERSION YES|NO ASKED...): what find_package says of this version when it is asked for one of those
function(answers version expected)
    set(folder "${WORK}/lib/cmake/tlsmem-${version}")
    file(READ "${FILE}" text)
    string(REGEX REPLACE "PACKAGE_VERSION \"[0-9.]+\"" "PACKAGE_VERSION \"${version}\"" text "${text}")
    file(WRITE "${folder}/tlsmemConfigVersion.cmake" "${text}")
    file(WRITE "${folder}/tlsmemConfig.cmake" "")
    foreach(asked IN LISTS ARGN)
        string(REPLACE " " ";" words "${asked}")
        unset(tlsmem_DIR CACHE)
        find_package(tlsmem ${words} QUIET PATHS "${folder}" NO_DEFAULT_PATH)
        set(answer NO)
        if(tlsmem_FOUND)
            set(answer YES)
        endif()
        if(NOT answer STREQUAL expected)
            message(SEND_ERROR "${version} for who asks for ${asked}: ${answer}")
        endif()
    endforeach()
endfunction()

answers(0.3.2 YES 0.3 0.3.0 0.3.2 "0.3.2 EXACT" 0.1...0.3.2 0.1...<0.4 0.3...1.0)
answers(0.3.2 NO 0 0.2 0.2.9 0.3.3 0.4 1.0 3.2 9 "0.3 EXACT" 0.1...<0.3.2 0.1...0.3.1 0.3.3...0.9)
answers(1.4.2 YES 1 1.0 1.3 1.4.2 "1.4.2 EXACT" 0.9...1.9 1.0...<2)
answers(1.4.2 NO 0 0.1 0.9 1.4.3 1.5 2 2.0 14 "1.4 EXACT" 0.1...0.9 1.5...2)
answers(10.0.0 YES 10 10.0)
answers(10.0.0 NO 1 1.0 0.10 0.0)

# A library of other pointers is none.
foreach(size IN ITEMS 4 8)
    set(CMAKE_SIZEOF_VOID_P ${size})
    include("${FILE}")
    list(APPEND unsuitable "${PACKAGE_VERSION_UNSUITABLE}")
    unset(PACKAGE_VERSION_UNSUITABLE)
endforeach()
if(NOT unsuitable MATCHES "^(TRUE;|;TRUE)$")
    message(SEND_ERROR "unsuitable for pointers of 4 and of 8 bytes: ${unsuitable}")
endif()
