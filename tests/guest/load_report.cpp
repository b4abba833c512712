// SPDX-License-Identifier: Apache-2.0
// Loads BPF objects into the running kernel and prints how many instructions its verifier looked at, by program.
// Exit code 1: it refused one; what the verifier says is on stderr.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/utsname.h>

#include <cstdio>
#include <filesystem>

namespace
{

bool report(const char *kernel, const char *path)
{
	const std::string file = std::filesystem::path(path).filename();
	bpf_object *object = bpf_object__open_file(path, nullptr);
	const bool loaded = object != nullptr && bpf_object__load(object) == 0;
	if (!loaded)
		std::printf("%s refuses %s\n", kernel, file.c_str());
	const bpf_program *program = nullptr;
	while (loaded && (program = bpf_object__next_program(object, const_cast<bpf_program *>(program))) != nullptr) {
		bpf_prog_info info{};
		uint32_t size = sizeof info;
		bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size);
		std::printf("%s %s %s: %u instructions verified, %u bytes of machine code\n", kernel, file.c_str(),
			    bpf_program__name(program), info.verified_insns, info.jited_prog_len);
	}
	bpf_object__close(object);
	return loaded;
}

} // namespace

int main(int argc, char **argv)
{
	utsname kernel{};
	uname(&kernel);
	bool all = argc > 1;
	for (int i = 1; i < argc; i++)
		all = report(kernel.release, argv[i]) && all;
	return all ? 0 : 1;
}
