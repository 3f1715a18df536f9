/* amd.c: Mesa's RADV as Dawn can open it where there is no GPU.
 *
 * With RADV_FORCE_FAMILY the driver opens a chip that does not exist: it compiles to that chip's machine code, and has
 * neither command buffers nor queues. Dawn uses both as soon as it opens a device. This library is the driver that the
 * Vulkan loader is given; it looks every function up in the one that KERNELWRIGHT_RADV names, but what records or
 * submits commands does nothing and succeeds.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef void (*Function)(void);
typedef Function (*Lookup)(void *object, const char *name);

/* VK_SUCCESS; where a function returns nothing, nobody looks at it. */
static long succeed(void) {
  return 0;
}

static bool wants_gpu(const char *name) {
  static const char *const prefixes[] = {"vkCmd", "vkBeginCommand", "vkEndCommand", "vkResetCommand", "vkQueueSubmit",
                                         "vkQueueWait", "vkQueueBind", "vkDeviceWait", "vkWaitForFences", "vkGetFenceStatus"};
  for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
    if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0) return true;
  return false;
}

static void *radv(const char *name) {
  static void *library;
  const char *path = getenv("KERNELWRIGHT_RADV");
  if (!library && path) library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    fprintf(stderr, "isa: RADV cannot be opened: %s\n", path ? dlerror() : "KERNELWRIGHT_RADV is not set");
    exit(1);
  }
  return dlsym(library, name);
}

static Function instead_of(Function function, const char *name) {
  return function && wants_gpu(name) ? (Function)succeed : function;
}

static Lookup device_lookup;

static Function look_up_in_device(void *device, const char *name) {
  return instead_of(device_lookup(device, name), name);
}

EXPORT Function vk_icdGetInstanceProcAddr(void *instance, const char *name) {
  Lookup lookup = (Lookup)radv("vk_icdGetInstanceProcAddr");
  Function function = lookup(instance, name);
  if (!function || strcmp(name, "vkGetDeviceProcAddr") != 0) return instead_of(function, name);
  device_lookup = (Lookup)function;
  return (Function)look_up_in_device;
}

EXPORT Function vk_icdGetPhysicalDeviceProcAddr(void *instance, const char *name) {
  Lookup lookup = (Lookup)radv("vk_icdGetPhysicalDeviceProcAddr");
  return lookup(instance, name);
}

EXPORT int vk_icdNegotiateLoaderICDInterfaceVersion(unsigned *version) {
  int (*negotiate)(unsigned *) = (int (*)(unsigned *))radv("vk_icdNegotiateLoaderICDInterfaceVersion");
  return negotiate(version);
}
