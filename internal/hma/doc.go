// Package hma serves the HTTP API of Meta's Hasher-Matcher-Actioner 1.1.7, so that its clients (Coop, policyserv, the Ruby
// gem hasher_matcher_actioner_api) work unchanged.
//
//	/h/hash     file or URL ─► decode worker ─► signals as text: pdq, moderator (photo); video_md5 (video)
//	/m/lookup   signals ─► library ─► less allow-list suppression, disabled content, banks by their ratio ─► bank names
//	/c/bank     a bank of the library, its name letter for letter; content is a flag, by its number
//
// What clients depend on most: a bank that exists is never answered 404 (Coop deletes its own record then), so a library
// that is away is 503; ratios have a decimal point; distances of look-ups are strings, and so are all signals.
package hma
