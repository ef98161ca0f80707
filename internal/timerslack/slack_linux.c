#include <sys/prctl.h>

// Before main, as the watchdog's thread is there when main begins: threads inherit it, and cannot set each other's. Decode
// workers are started with more.
__attribute__((constructor)) static void be_late(void)
{
	if (prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) < 1000000)
		prctl(PR_SET_TIMERSLACK, 1000000UL, 0, 0, 0);
}
