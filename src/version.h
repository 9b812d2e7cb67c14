/* The version of the product. */
#ifndef VERSION_H
#define VERSION_H

#define LF_VERSION "0.1.0"

#endif
