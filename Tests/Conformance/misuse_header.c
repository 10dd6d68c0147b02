/* No function of the header is forgotten in misuse.c and misuse_kit.c: their paths, and HEADER_PATH, come from the Makefile. */
#include "misuse.h"

#include <ctype.h>

static char *text_of(const char *path)
{
    FILE *file = fopen(path, "r");
    MUST(file != NULL);
    char *text = calloc(1, 1 << 20);
    MUST(text != NULL && fread(text, 1, (1 << 20) - 1, file) > 0);
    fclose(file);
    return text;
}

/** Every function of the header occurs in misuse.c or misuse_kit.c, as a call. */
void no_function_is_forgotten(void)
{
    char *header = text_of(HEADER_PATH), *source = text_of(SOURCE_PATH), *kit = text_of(KIT_PATH);
    int functions = 0;
    situation("every function of the header is tried here");
    for (char *comment; (comment = strstr(header, "/*")) != NULL;) {
        char *after = strstr(comment, "*/");
        MUST(after != NULL);
        memset(comment, ' ', (size_t)(after + 2 - comment));
    }
    for (char *at = header; (at = strstr(at, "tlsmem_")) != NULL;) {
        char call[80], *begin = at;
        while (isalnum((unsigned char)*at) || *at == '_')
            at++;
        if (*at != '(')
            continue;
        functions++;
        snprintf(call, sizeof call, "%.*s(", (int)(at - begin), begin);
        CHECK(strstr(source, call) != NULL || strstr(kit, call) != NULL, "%s) is not tried", call);
    }
    CHECK(functions > 90, "only %d functions were found", functions);
    free(header);
    free(source);
    free(kit);
}
