#include <stdint.h> // any header of the C library says which library it is

// CLONES compiles a function for the widest vectors of each CPU, of which one is chosen when the program starts.
#if defined(__x86_64__) && defined(__GLIBC__)
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CLONES
#endif

// Numbers that are computed at a time, in one vector.
enum { LANES = 8 };
typedef float lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias));
