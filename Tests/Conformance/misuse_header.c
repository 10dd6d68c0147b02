/* No function of the header is forgotten in a table: HEADER_PATH comes from the Makefile. */
#define _GNU_SOURCE
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

void no_function_is_forgotten(const char *path, const char *other, const char *taking)
{
    char *header = text_of(HEADER_PATH), *source = text_of(path), *kit = text_of(other);
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
        size_t declared = *at == 0 ? 0 : 1 + strcspn(at + 1, "(;"); /* what is before a function that it takes */
        if (*at != '(' || memmem(at, declared, taking, strlen(taking)) == NULL)
            continue;
        functions++;
        snprintf(call, sizeof call, "%.*s(", (int)(at - begin), begin);
        CHECK(strstr(source, call) != NULL || strstr(kit, call) != NULL, "%s) is not tried", call);
    }
    CHECK(functions > 80, "only %d functions were found", functions);
    free(header);
    free(source);
    free(kit);
}
