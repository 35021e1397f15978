//! Finds the system's DPDK, compiles `shim.c` against it, and generates the bindings of what `wrapper.h` includes and the lists
//! below allow.
//!
//! The lists are narrow on purpose: what is not called is not bound, so a new DPDK release can only break what we use.

use std::env;
use std::path::{Path, PathBuf};
use std::process::exit;

/// The oldest release line that we build on. There is no upper limit: ABI breaks come with a new soname, and the layout that we
/// rely on is read from the installed headers.
const OLDEST: &str = "22.11";

/// The libraries that the bound functions live in. Drivers are not linked: EAL loads them from its plugin directory.
const LIBRARIES: [&str; 4] = ["rte_ethdev", "rte_mbuf", "rte_mempool", "rte_eal"];

/// Every function that the safe wrapper calls.
const FUNCTIONS: &[&str] = &[
    "shim_.*",
    "rte_version",
    "rte_strerror",
    "rte_eal_init",
    "rte_eal_cleanup",
    "rte_eal_has_hugepages",
    "rte_get_tsc_hz",
    "rte_thread_register",
    "rte_thread_unregister",
    "rte_pktmbuf_pool_create",
    "rte_pktmbuf_copy",
    "rte_pktmbuf_free_bulk",
    "rte_mempool_avail_count",
    "rte_mempool_in_use_count",
    "rte_eth_dev_get_port_by_name",
    "rte_eth_dev_get_name_by_port",
    "rte_eth_dev_socket_id",
    "rte_eth_find_next_owned_by",
    "rte_eth_dev_info_get",
    "rte_eth_dev_configure",
    "rte_eth_dev_adjust_nb_rx_tx_desc",
    "rte_eth_rx_queue_setup",
    "rte_eth_tx_queue_setup",
    "rte_eth_dev_start",
    "rte_eth_dev_stop",
    "rte_eth_dev_close",
    "rte_eth_dev_rss_reta_update",
    "rte_eth_promiscuous_enable",
    "rte_eth_macaddr_get",
    "rte_eth_stats_get",
];

/// Constants; `RTE_*` macros with plain integer values, the rest comes through shim.h.
const CONSTANTS: &[&str] =
    &["SHIM_.*", "RTE_PKTMBUF_HEADROOM", "RTE_ETH_NAME_MAX_LEN", "RTE_MAX_ETHPORTS", "RTE_MEMPOOL_CACHE_MAX_SIZE", "LCORE_ID_ANY"];

/// Types that are only ever handled by address, or through the offsets in shim.h.
const OPAQUE: &[&str] = &["rte_mbuf", "rte_mempool", "rte_device", "rte_eth_rxseg.*", "rte_eth_vmdq_.*", "rte_eth_dcb_.*"];

fn main() {
    for file in ["wrapper.h", "shim.h", "shim.c"] {
        println!("cargo::rerun-if-changed={file}");
    }
    let dpdk = match pkg_config::Config::new().atleast_version(OLDEST).cargo_metadata(false).probe("libdpdk") {
        Ok(found) => found,
        Err(error) => missing(&error),
    };
    for path in &dpdk.link_paths {
        println!("cargo::rustc-link-search=native={}", path.display());
    }

    compile_shim(&dpdk.include_paths);
    generate(&dpdk.include_paths);

    for library in LIBRARIES {
        println!("cargo::rustc-link-lib=dylib={library}");
    }
}

/// Says what to install. `cargo::error` alone would lose the multi-line text of pkg-config, so both go to stderr as well.
fn missing(error: &pkg_config::Error) -> ! {
    println!(
        "cargo::error=DPDK {OLDEST} or newer was not found: install it with `apt install libdpdk-dev pkg-config clang libclang-dev`"
    );
    println!("cargo::error=a DPDK built from source is found when PKG_CONFIG_PATH names the folder of its libdpdk.pc");
    eprintln!("{error}");
    exit(1);
}

/// pkg-config's cflags also hold these, which the pkg-config crate does not hand on.
fn required_flags() -> Vec<&'static str> {
    let mut flags = vec!["-include", "rte_config.h"];
    if env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "x86_64") {
        flags.push("-march=corei7");
    }
    flags
}

fn compile_shim(includes: &[PathBuf]) {
    let mut build = cc::Build::new();
    build.file("shim.c").includes(includes).opt_level(3).warnings(false);
    for flag in required_flags() {
        build.flag(flag);
    }
    build.compile("dpdk_shim");
}

fn generate(includes: &[PathBuf]) {
    let mut builder = bindgen::Builder::default()
        .header("wrapper.h")
        .clang_args(required_flags())
        .clang_args(includes.iter().map(|path| format!("-I{}", path.display())))
        .default_enum_style(bindgen::EnumVariation::ModuleConsts)
        .prepend_enum_name(false)
        .generate_comments(false)
        .parse_callbacks(Box::new(bindgen::CargoCallbacks::new()));
    for name in FUNCTIONS {
        builder = builder.allowlist_function(name);
    }
    for name in CONSTANTS {
        builder = builder.allowlist_var(name);
    }
    builder = builder.allowlist_type("shim_mbuf_offset").allowlist_type("rte_eth_rx_mq_mode");
    for name in OPAQUE {
        builder = builder.opaque_type(name);
    }
    let bindings = match builder.generate() {
        Ok(bindings) => bindings,
        Err(error) => {
            println!("cargo::error=bindgen cannot read DPDK's headers ({error}); it needs `apt install libclang-dev`");
            exit(1);
        }
    };
    let out = env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_else(|| Path::new(".").to_path_buf());
    if let Err(error) = bindings.write_to_file(out.join("bindings.rs")) {
        println!("cargo::error=cannot write the generated bindings: {error}");
        exit(1);
    }
}
