/*
 * load.c - loads each of the paths, gives it back, and prints what came of it: the status; whether the library goes or stays,
 * as one does that is never unmapped, or was there before; and the version or the sentence.
 *
 *     load PATH...
 */
#include <tlsmem_dynamic.h>

int main(int argc, char **argv)
{
    static tlsmem_api tls;
    static const tlsmem_api none;
    for (int i = 1; i < argc; i++) {
        char said[sizeof tls.sentence];
        memset(&tls, 0xa5, sizeof tls); /* it may be anything */
        int status = tlsmem_load(argv[i], &tls);
        snprintf(said, sizeof said, "%s", status == TLSMEM_OK ? tls.version_string() : tls.sentence);
        if (status == TLSMEM_OK)
            tlsmem_unload(&tls);
        if (tls.library != NULL || memcmp(&tls.version, &none.version, sizeof tls - offsetof(tlsmem_api, version)) != 0)
            return fprintf(stderr, "%s: something is left of it\n", argv[i]), 1;
        void *still = dlopen(argv[i], RTLD_LAZY | RTLD_NOLOAD);
        printf("%d %s %s\n", status, still != NULL ? "stays" : "goes", said);
        if (still != NULL)
            dlclose(still);
        tlsmem_unload(&tls); /* once more does nothing */
    }
    tlsmem_unload(NULL);
    return tlsmem_load(NULL, NULL) == TLSMEM_EINVAL ? 0 : 1;
}
