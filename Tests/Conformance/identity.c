/* Certificates and keys: what is taken and what is refused, and which of several a client is shown. */
#include "identity.h"

int main(void)
{
    begin("identity");
    int before = open_descriptors();
    forms();
    pairs();
    names_asked();
    threads();
    bad_files();
    situation("descriptors");
    CHECK(open_descriptors() == before, "%d descriptors, %d before", open_descriptors(), before);
    return finish();
}
