// SPDX-License-Identifier: Apache-2.0
// argv → role.
int main() { return 0; }
