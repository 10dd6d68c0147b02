/* ADDRESS_SANITIZER: whether the address sanitizer watches, of which gcc tells by a macro, and clang by a feature. */
#ifndef SANITIZERS_H
#define SANITIZERS_H

#if defined __SANITIZE_ADDRESS__
#define ADDRESS_SANITIZER
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define ADDRESS_SANITIZER
#endif
#endif

#endif
