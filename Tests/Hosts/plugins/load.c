/*
 * load.c - loads each of the paths, and prints what came of it: "0 VERSION", or the status and the sentence. A library that was
 * refused is not open any more, and shows nothing.
 *
 *     load PATH...
 */
#include <tlsmem_dynamic.h>

int main(int argc, char **argv)
{
    static tlsmem_api tls;
    static const tlsmem_api none;
    for (int i = 1; i < argc; i++) {
        void *before = dlopen(argv[i], RTLD_LAZY | RTLD_NOLOAD), *after;
        memset(&tls, 0xa5, sizeof tls); /* it may be anything */
        int status = tlsmem_load(argv[i], &tls);
        printf("%d %s\n", status, status == TLSMEM_OK ? tls.version_string() : tls.sentence);
        if (status != TLSMEM_OK) {
            after = dlopen(argv[i], RTLD_LAZY | RTLD_NOLOAD);
            if ((before == NULL && after != NULL) || tls.library != NULL
                || memcmp(&tls.version, &none.version, sizeof tls - offsetof(tlsmem_api, version)) != 0)
                return fprintf(stderr, "%s: something is left of it\n", argv[i]), 1;
        }
        tlsmem_unload(&tls);
        tlsmem_unload(&tls);
    }
    return tlsmem_load(NULL, NULL) == TLSMEM_EINVAL ? 0 : 1;
}
