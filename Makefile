MAKEFLAGS += --no-print-directory
# Everything that is built.  make [V=release|asan|clang|fuzz] [TARGET]; out of tree under build/$(V).
#   make            the program, build/release/lianfang
#   make unit       unit tests under ASan+UBSan        make mod M=sheet   the tests of one module alone
#   make fuzz T=json TIME=60                           make replay        corpora through every fuzz target
#   make lint       layers, sizes, banned words        make headers       each header compiles alone
#   make docs       docs/ref from the program's tables
#   make bench      load figures, each beside its limit
#   make soak [HOURS=1]   mixed load with kill -9 and restart every few minutes, on both engines
V ?= release
CC_release = gcc
CC_asan = gcc
CC_clang = clang
CC_fuzz = clang
CC := $(CC_$(V))
OUT := build/$(V)

LIBS := sqlite3 libpq libsodium liboath libevent libzip expat xlsxwriter icu-i18n icu-uc zlib openssl libqrencode pangocairo
PKG_CFLAGS := $(shell pkg-config --cflags $(LIBS) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(LIBS) 2>/dev/null)

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wundef -Wpointer-arith \
	-Wwrite-strings -Wimplicit-fallthrough -Wno-missing-field-initializers
WARN_gcc := -Wjump-misses-init -Wlogical-op -Wduplicated-cond
FLAGS_release := -O2 -g1 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fPIE $(WARN_gcc)
LINK_release := -pie -Wl,-z,relro,-z,now
FLAGS_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -DARENA_DEBUG $(WARN_gcc)
LINK_asan := -fsanitize=address,undefined
FLAGS_clang := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -DARENA_DEBUG
LINK_clang := -fsanitize=address,undefined
FLAGS_fuzz := -O1 -g -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all -DARENA_DEBUG
LINK_fuzz := -fsanitize=address,undefined,fuzzer
CFLAGS := -std=gnu17 $(WARN) $(FLAGS_$(V)) -D_GNU_SOURCE -Isrc -MMD -MP $(PKG_CFLAGS)
LDLIBS := $(PKG_LIBS) -lm -lpthread

SRC := $(sort $(wildcard src/*/*.c src/*/*/*.c))
OBJ := $(SRC:%.c=$(OUT)/%.o)
ASSETS_OBJ := $(OUT)/gen/assets.o $(OUT)/gen/assets_bytes.o
GEN_OBJ := $(OUT)/gen/hant.o $(ASSETS_OBJ)
UNIT_SRC := $(sort $(wildcard tests/unit/*.c))
FUZZ := $(patsubst fuzz/fuzz_%.c,%,$(wildcard fuzz/fuzz_*.c))

.SECONDARY:
.PHONY: all unit units unit-names mod fuzz replay lint headers bench soak docs clean web
all: $(OUT)/lianfang

# ---- the program ----
$(OUT)/lianfang: $(OBJ) $(OUT)/src/main.o $(GEN_OBJ)
	@echo "  LD $@"; $(CC) $(LINK_$(V)) -o $@ $^ $(LDLIBS)

$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC $(V) $<"; $(CC) $(CFLAGS) -c -o $@ $<
$(OUT)/src/base/%.o $(OUT)/src/json/%.o $(OUT)/src/http/%.o: CFLAGS += -Wconversion -Wno-sign-conversion

# ---- tools of the build ----
TOOL_CFLAGS := -std=gnu17 -O2 -D_GNU_SOURCE $(WARN)
build/tools/hant build/tools/lint build/tools/layers: build/tools/%: tools/%.c tools/source.c tools/source.h
	@mkdir -p $(@D)
	@echo "  CC $<"; gcc $(TOOL_CFLAGS) -o $@ $< tools/source.c
build/tools/pack: tools/pack.c
	@mkdir -p $(@D)
	@echo "  CC $<"; gcc $(TOOL_CFLAGS) -o $@ $< $$(pkg-config --cflags --libs zlib libbrotlienc libsodium)

# Traditional Chinese of every literal (see src/base/lang.h).
build/gen/hant.c: tools/hant.sh build/tools/hant $(SRC) $(wildcard src/*.c src/*/*.h src/*/*/*.h src/*/*.inc src/*/*/*.inc)
	@mkdir -p build/gen
	@echo "  HANT $@"; tools/hant.sh > $@.$$$$ && mv $@.$$$$ $@

# The browser program.  Packed again only when the content of web/dist is another: the list holds its checksums.
.PHONY: look
build/gen/assets.list: look
	@mkdir -p build/gen
	@find web/dist -type f -exec cksum {} + 2>/dev/null | LC_ALL=C sort > $@.new; cmp -s $@.new $@ || cp $@.new $@
build/gen/assets.S build/gen/assets.c &: build/gen/assets.list build/tools/pack
	@echo "  PACK web/dist"; build/tools/pack web/dist build/gen/assets.S build/gen/assets.c
$(OUT)/gen/assets_bytes.o: build/gen/assets.S
	@mkdir -p $(@D)
	@$(CC) -c -o $@ $<
$(OUT)/gen/%.o: build/gen/%.c
	@mkdir -p $(@D)
	@echo "  CC $(V) $<"; $(CC) $(CFLAGS) -c -o $@ $<

# ---- tests ----
# One program for each group of tests (the word before the first _): helpers of different groups may share names.
UNIT_GROUPS := $(sort $(foreach f,$(filter-out tests/unit/runner.c,$(UNIT_SRC)),$(firstword $(subst _, ,$(notdir $(f))))))
UNITS := $(UNIT_GROUPS:%=$(OUT)/unit-%)
units: $(UNITS)
unit-names:
	@echo $(UNITS)
unit: $(UNITS)
	@status=0; for u in $(UNITS); do echo "$$u"; $$u $(FILTER) || status=1; done; exit $$status
define unit_rule
$$(OUT)/unit-$(1): $$(OBJ) $$(GEN_OBJ) $$(OUT)/tests/unit/runner.o $$(patsubst %.c,$$(OUT)/%.o,$$(wildcard tests/unit/$(1)_*.c))
	@echo "  LD $$@"; $$(CC) $$(LINK_$$(V)) -o $$@ $$^ $$(LDLIBS)
endef
$(foreach g,$(UNIT_GROUPS),$(eval $(call unit_rule,$(g))))

# One module with what lies below it, so that a half-written neighbour does not stand in the way.
M ?= base
BELOW := $(sort base json $(M) $(WITH))
MOD_OBJ := $(foreach d,$(BELOW),$(patsubst %.c,$(OUT)/%.o,$(wildcard src/$(d)/*.c)))
MOD_TESTS := $(patsubst %.c,$(OUT)/%.o,tests/unit/runner.c $(wildcard tests/unit/$(M)_*.c))
mod: $(OUT)/mod-$(M)
	$(OUT)/mod-$(M) $(FILTER)
$(OUT)/mod-$(M): $(MOD_OBJ) $(MOD_TESTS) $(OUT)/tools/hant_none.o $(if $(filter api,$(BELOW)),$(ASSETS_OBJ))
	@echo "  LD $@"; $(CC) $(LINK_$(V)) -o $@ $^ $(LDLIBS)

# ---- fuzzing: fuzz/fuzz_T.c, seeds and findings in fuzz/corpus/T ----
TIME ?= 60
build/fuzz/fuzz-%: $(SRC:%.c=build/fuzz/%.o) $(GEN_OBJ:$(OUT)/%=build/fuzz/%) build/fuzz/fuzz/fuzz_%.o
	@echo "  LD $@"; clang $(LINK_fuzz) -o $@ $^ $(LDLIBS)
build/asan/replay-%: $(SRC:%.c=build/asan/%.o) $(GEN_OBJ:$(OUT)/%=build/asan/%) build/asan/fuzz/fuzz_%.o build/asan/fuzz/replay.o
	@echo "  LD $@"; gcc $(LINK_asan) -o $@ $^ $(LDLIBS)
fuzz:
	$(MAKE) V=fuzz build/fuzz/fuzz-$(T)
	mkdir -p build/fuzz/corpus/$(T) && build/fuzz/fuzz-$(T) -max_total_time=$(TIME) -max_len=65536 build/fuzz/corpus/$(T) fuzz/corpus/$(T)
replay:
	$(MAKE) V=asan $(FUZZ:%=build/asan/replay-%)
	@for t in $(FUZZ); do build/asan/replay-$$t fuzz/corpus/$$t || exit 1; done

# ---- load figures: what is measured and how is in docs/bench.md ----
bench: $(OUT)/lianfang $(OUT)/bench-core
	bench/run.sh $(OUT) $(QUICK)
$(OUT)/bench-growth: $(OUT)/bench/growth_fill.o $(OUT)/bench/growth_stmts.o
$(OUT)/bench-core $(OUT)/bench-growth: $(OUT)/bench-%: $(OUT)/bench/%.o $(patsubst %.c,$(OUT)/%.o,$(filter-out src/api/%.c src/cli/%.c,$(SRC))) $(OUT)/gen/hant.o
	@echo "  LD $@"; $(CC) $(LINK_$(V)) -o $@ $^ $(LDLIBS)

# ---- soak: half of the time on each engine ----
HOURS ?= 1
soak: $(OUT)/lianfang
	@tools/pg.sh stop build/pg-soak; db=$$(PG_DURABLE=1 tools/pg.sh start build/pg-soak) || exit 1; \
	trap 'tools/pg.sh stop build/pg-soak' EXIT; \
	LF_BIN=$(OUT)/lianfang LF_TEST_DB=$$db tests/soak/run.sh $$(awk 'BEGIN {print int($(HOURS) * 1500)}') 120

lint:
	tools/lint.sh
HEADERS := $(sort $(wildcard src/*/*.h src/*/*/*.h))
headers:
	@for h in $(HEADERS); do echo "#include \"$$h\"" | $(CC) -std=gnu17 $(WARN) -D_GNU_SOURCE -Isrc $(PKG_CFLAGS) -I. -x c -fsyntax-only - || exit 1; done

# ---- the reference pages ----
$(OUT)/gendoc: $(OBJ) $(OUT)/tools/gendoc.o $(GEN_OBJ)
	@echo "  LD $@"; $(CC) $(LINK_$(V)) -o $@ $^ $(LDLIBS)
docs: $(OUT)/gendoc
	$(OUT)/gendoc docs/ref

clean:
	rm -rf build

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
