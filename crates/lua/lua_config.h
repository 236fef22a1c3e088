/* What Ferrite's Lua has otherwise than Lua's own luaconf.h. The build script has this file
   included before each file of Lua's; it includes luaconf.h itself, whose guard then keeps
   the changes below. Nothing here changes what a script can see. */

#ifndef ferrite_lua_config_h
#define ferrite_lua_config_h

/* On these luaconf.h decides what it defines. The files that need them define them too, but
   after this one. */
#define LUA_CORE
#define loslib_c

#include <stddef.h>
#include <stdio.h>
#include "luaconf.h"
#include "lopcodes.h"

/* A number as a string: "%.14g", which takes printf some 1,600 instructions, because it
   computes with integers of any length. A whole number of up to 14 digits is written
   directly. Zero is left to printf, which knows its sign. Returns as sprintf does. */
static inline int ferrite_number2str (char *out, double number) {
  if (number > -1e14 && number < 1e14 && number != 0) {
    long long whole = (long long)number;
    if ((double)whole == number) {
      char digits[16];
      int count = 0, len = 0;
      unsigned long long rest =
        whole < 0 ? 0 - (unsigned long long)whole : (unsigned long long)whole;
      while (rest != 0) {
        digits[count++] = (char)('0' + rest % 10);
        rest /= 10;
      }
      if (whole < 0) out[len++] = '-';
      while (count > 0) out[len++] = digits[--count];
      out[len] = '\0';
      return len;
    }
  }
  return sprintf(out, LUA_NUMBER_FMT, number);
}

#undef lua_number2str
#define lua_number2str(s,n) ferrite_number2str((s), (n))

/* Tells the Rust side (layout.rs) where Lua keeps what its interface does not show: the frames
   of the functions that run, how many results a caller wants and at which instruction it is,
   and the shape of a table. Lua evaluates this where it makes a state, in a file that knows the
   structures. */
struct ferrite_layout {
  size_t frame, frames, frame_size;
  size_t function, is_c;
  size_t wanted, next, tail_call;
  size_t metatable, node, sizearray;
};
extern void ferrite_lua_layout (struct ferrite_layout layout);
#undef luai_userstateopen
#define luai_userstateopen(L) { \
  struct ferrite_layout layout = { \
    offsetof(struct lua_State, ci), offsetof(struct lua_State, base_ci), \
    sizeof(struct CallInfo), offsetof(struct CallInfo, func), offsetof(CClosure, isC), \
    offsetof(struct CallInfo, nresults), offsetof(struct CallInfo, savedpc), OP_TAILCALL, \
    offsetof(struct Table, metatable), offsetof(struct Table, node), \
    offsetof(struct Table, sizearray) }; \
  ferrite_lua_layout(layout); }

#endif
