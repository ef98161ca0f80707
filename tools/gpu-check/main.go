package main
import ("fmt";"moderator/internal/gpu")
func main(){ fmt.Println(gpu.Vulkan()); fmt.Println(gpu.CUDA())}
